import { defineConfig } from 'vitest/config';
import { TallyReporter } from './test/set-up/tally-reporter.ts';

/** All seeds, sizes and kill points (npm run test:long), or the few of every push (npm test). */
const long = process.env.LOSTWRITE_LONG_TESTS !== undefined;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: long ? [] : ['test/**/*-long.test.ts'],
    globalSetup: ['test/set-up/compile.ts'],
    reporters: ['default', new TallyReporter()],
    pool: 'forks',
    // Tests that mount images and start workers of their own share the machine with at most one other file.
    maxWorkers: 2,
    testTimeout: long ? 600_000 : 30_000,
    hookTimeout: long ? 600_000 : 60_000,
  },
});
