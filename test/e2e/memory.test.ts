// Memory does not grow with the number of files: the benchmark's own check at a small size. memory-long.test.ts: the million.

import { expect, test } from 'vitest';
import { measureMemory } from './million.ts';

test('20,000 files stay below 512 MiB', () => {
  expect(measureMemory(20_000)).toMatch(/^files 20000\nbaseline create: .*\nscan: .*\n$/);
}, 120_000);
