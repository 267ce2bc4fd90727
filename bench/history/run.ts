// The bench of block history: disks with four backups, blocks of them put back, scans of what is left with these backups.
// `node dist/bench/history/run.js --help` tells the rest.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Mode } from '../../fixtures/incident/losses.ts';
import { backupSeries, type Series } from './backup-series.ts';
import { historyCase } from './history-case.ts';
import { addScores, EMPTY, type HistoryScore } from './score.ts';

const MODES: readonly Mode[] = ['data', 'directories', 'inodes', 'mixed', 'none'];
const USAGE = `usage: run.js [--seeds FROM..TO] [--modes LIST] [--work DIR] [--json FILE] [--keep] [--verbose]
Needs root and e2fsprogs; 1 GiB in DIR, which a DIR in memory (/dev/shm) spares the disk.`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1..2' },
    modes: { type: 'string', default: MODES.join(',') },
    work: { type: 'string', default: '/tmp/lostwrite-history' },
    json: { type: 'string' },
    keep: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const SHOWN = 20;

async function runCase(series: Series, mode: Mode): Promise<HistoryScore> {
  const { struck, report, score, missed, wrong } = await historyCase(series, mode);
  if (values.verbose) {
    for (const { block, role, to } of missed.slice(0, SHOWN))
      print(`  missed: block ${block} (${role}), back to ${to}`);
    for (const block of wrong.slice(0, SHOWN)) print(`  wrong: block ${block}`);
  }
  if (values.keep) writeFileSync(join(series.directory, `report-${mode}.json`), JSON.stringify(report, null, 1));
  else rmSync(struck.image);
  return score;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function linesOf(name: string, { byRole, beyond, falselyNamed, falselySure }: HistoryScore): string[] {
  const total = { reverted: 0, named: 0, sure: 0 };
  const lines = Object.entries(byRole).map(([role, counts]) => {
    total.reverted += counts.reverted;
    total.named += counts.named;
    total.sure += counts.sure;
    return `  ${role}: ${shares(counts)}`;
  });
  const outside = Object.entries(beyond).map(([why, count]) => `${why} ${count}`);
  return [
    `${name}: ${shares(total)}; falsely named ${falselyNamed}, ${falselySure} of them as more than a hint`,
    ...lines,
    `  beyond reach: ${outside.join(', ')}`,
  ];
}

function shares({ reverted, named, sure }: { reverted: number; named: number; sure: number }): string {
  const share = (count: number): string => (reverted === 0 ? '–' : (count / reverted).toFixed(4));
  return `${named} of ${reverted} named (${share(named)}), ${sure} as more than a hint (${share(sure)})`;
}

async function main(): Promise<void> {
  const [from = 1, to = from] = values.seeds.split('..').map(Number);
  mkdirSync(values.work, { recursive: true });
  const pooled = new Map<string, HistoryScore>();
  for (let seed = from; seed <= to; seed++) {
    const series = await backupSeries(values.work, seed);
    for (const mode of values.modes.split(',') as Mode[]) {
      const scored = await runCase(series, mode);
      if (values.verbose) for (const line of linesOf(`${seed} ${mode}`, scored)) print(line);
      pooled.set(mode, addScores(pooled.get(mode) ?? EMPTY, scored));
    }
    if (!values.keep) rmSync(series.directory, { recursive: true });
  }
  for (const [mode, scored] of pooled) for (const line of linesOf(mode, scored)) print(line);
  const all = [...pooled.values()].reduce(addScores, EMPTY);
  for (const line of linesOf(`pooled ${values.seeds}`, all)) print(line);
  if (values.json !== undefined)
    writeFileSync(values.json, JSON.stringify({ ...Object.fromEntries(pooled), all }, null, 1));
}

if (values.help) print(USAGE);
else await main();
