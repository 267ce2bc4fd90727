// The scan bench: a Debian tree against its package database, and against a baseline, beside the programs that people
// use for it. `node dist/bench/scan/run.js [--tree DIR] [--rounds N]`. Needs the Debian packages debootstrap, debsums,
// hashdeep, aide and time; makes the tree with debootstrap when it is not there.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { print, resultTable, surroundings } from '../table.ts';
import { type Contestant, compete } from '../timed.ts';
import { baselineCapture, baselineCheck } from './baseline-contestants.ts';
import { packageContestants } from './package-contestants.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    tree: { type: 'string', default: join(tmpdir(), 'lw-debian') },
  },
});

function bench(title: string, contestants: readonly Contestant[]): void {
  const timings = compete(contestants, Number(values.rounds));
  print(`\n## ${title}: warm, median of ${values.rounds} turns\n`);
  print(`${surroundings()}\n`);
  print(resultTable(contestants, timings));
}

const work = mkdtempSync(join(tmpdir(), 'lostwrite-scan-'));
if (!existsSync(values.tree)) execFileSync('debootstrap', ['bookworm', values.tree], { stdio: 'inherit' });
try {
  bench('Packages (md5)', packageContestants(values.tree, work));
  bench('Capture of a baseline (sha256, ours with block hashes)', baselineCapture(values.tree, work));
  bench('Check against a baseline (sha256, ours with block hashes)', baselineCheck(values.tree, work));
} finally {
  rmSync(work, { recursive: true });
}
