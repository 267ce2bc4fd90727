// What a run of the tests comes to, for people and for .ci/run: every skipped test by its name, and one line of figures.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node';

/** A directory that gets `tally` (the line) and `skipped` (a sorted name a line). */
const RESULTS = process.env.LOSTWRITE_TEST_RESULTS;

interface Tally {
  passed: number;
  /** Tests, modules that could not be loaded, errors outside of any test; at least 1 for a run that did not pass. */
  failed: number;
  readonly skipped: string[];
}

export class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[], reason: TestRunEndReason): void {
    const tally = tallyOf(modules, unhandledErrors.length);
    if (reason !== 'passed' && tally.failed === 0) tally.failed = 1;
    const line = `${tally.passed} passed, ${tally.failed} failed, ${tally.skipped.length} skipped`;
    const names = tally.skipped.map(name => `skipped: ${name}\n`).join('');
    process.stdout.write(`\n${names}${line}\n`);
    if (RESULTS === undefined) return;
    writeFileSync(join(RESULTS, 'skipped'), tally.skipped.map(name => `${name}\n`).join(''));
    writeFileSync(join(RESULTS, 'tally'), `${line}\n`);
  }
}

function tallyOf(modules: readonly TestModule[], errors: number): Tally {
  const tally: Tally = { passed: 0, failed: errors, skipped: [] };
  for (const module of modules) {
    tally.failed += module.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') tally.passed += 1;
      else if (state === 'skipped') tally.skipped.push(`${module.relativeModuleId} > ${test.fullName}`);
      else tally.failed += 1;
    }
  }
  tally.skipped.sort();
  return tally;
}
