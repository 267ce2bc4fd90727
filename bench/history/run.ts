// The bench of block history: disks with four backups, blocks of them put back, scans of what is left with these backups.
// `node dist/bench/history/run.js --help` tells the rest.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readBlockRoles } from '../../fixtures/incident/block-roles.ts';
import type { Mode } from '../../fixtures/incident/losses.ts';
import { parseWindow } from '../../src/cli/instant.ts';
import { DEFAULT_SCAN } from '../../src/cli/scan-options.ts';
import type { TargetSpec } from '../../src/model.ts';
import { renderJson } from '../../src/report/json.ts';
import { identityOf, scan } from '../../src/run.ts';
import { BACKUPS, BLOCK_BYTES, backupSeries, imageOf, type Series, type Struck, strike } from './backup-series.ts';
import { digestsOf, journalOf, placesOf, ZEROS } from './block-facts.ts';
import {
  addScores,
  type Beyond,
  EMPTY,
  type HistoryReport,
  type HistoryScore,
  type NamedBlocks,
  namedBlocks,
  scoreHistory,
} from './score.ts';

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

const JOBS = 2;

async function scanStruck(series: Series, { image }: Struck): Promise<HistoryReport> {
  const target = (path: string): TargetSpec => ({
    kind: 'image',
    name: path,
    path,
    snapshot: null,
    identity: identityOf(path),
  });
  const { window } = series;
  const options = {
    ...DEFAULT_SCAN,
    target: target(image),
    before: BACKUPS.map(name => target(imageOf(series, name))),
    window: parseWindow(`${window.from}..${window.to}`),
    store: { path: null },
    jobs: JOBS,
    resume: 'never',
  } as const;
  const hooks = { onProgress: () => undefined, onNotice: () => undefined, signal: new AbortController().signal };
  const outcome = await scan(options, hooks);
  try {
    return JSON.parse([...renderJson(outcome.report)].join('')) as HistoryReport;
  } finally {
    outcome.close(false);
  }
}

/** Why a block of the struck disk cannot be told by its history: of zeros, of bytes that lie elsewhere too, of nobody's. */
function beyondReach(series: Series, struck: Struck): (block: number) => Beyond | null {
  const backups = BACKUPS.map(name => digestsOf(imageOf(series, name)));
  const now = digestsOf(struck.image);
  const journal = journalOf(imageOf(series, 'end'));
  const places = new Map<string, number | 'several'>();
  for (const digests of [now, ...backups]) {
    for (const [block, digest] of digests.entries()) {
      if (journal.has(block)) continue;
      const known = places.get(digest);
      places.set(digest, known === undefined || known === block ? block : 'several');
    }
  }
  const owned = ['end', 'day3'].map(name => readBlockRoles(readFileSync(imageOf(series, name))));
  return block => {
    const digest = now[block] ?? '';
    if (digest === ZEROS || backups.at(-1)?.[block] === ZEROS) return 'zeros';
    if (owned.every(roles => roles[block] === 'free')) return 'free';
    return places.get(digest) === 'several' ? 'common' : null;
  };
}

async function runCase(series: Series, mode: Mode): Promise<HistoryScore> {
  const struck = strike(series, mode);
  const report = await scanStruck(series, struck);
  const named = namedBlocks(report, BLOCK_BYTES, inode => placesOf(struck.image, inode));
  const beyondOf = beyondReach(series, struck);
  const score = scoreHistory({ reverted: struck.reverted, beyondOf }, named);
  if (values.verbose) for (const line of exceptions(struck, named, beyondOf)) print(line);
  if (values.keep) writeFileSync(join(series.directory, `report-${mode}.json`), JSON.stringify(report, null, 1));
  else rmSync(struck.image);
  return score;
}

const SHOWN = 20;

/** The blocks that are not named, and those that are and should not be. */
function exceptions(
  { reverted }: Struck,
  { all, goneBack }: NamedBlocks,
  beyondOf: (block: number) => Beyond | null,
): string[] {
  const went = new Set(reverted.map(({ block }) => block));
  const missed = reverted.filter(({ block }) => beyondOf(block) === null && !all.has(block));
  const wrong = [...goneBack.keys()].filter(block => !went.has(block));
  return [
    ...missed.slice(0, SHOWN).map(({ block, role, to }) => `  missed: block ${block} (${role}), back to ${to}`),
    ...wrong.slice(0, SHOWN).map(block => `  wrong: block ${block}`),
  ];
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
