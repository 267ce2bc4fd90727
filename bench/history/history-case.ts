// One case of the history bench: a series of backups, struck in one way, and what a scan with these backups names of it.

import { readFileSync } from 'node:fs';
import { EXT4 } from '../../fixtures/incident/ext4-image.ts';
import type { Mode } from '../../fixtures/incident/losses.ts';
import { parseWindow } from '../../src/cli/instant.ts';
import { DEFAULT_SCAN } from '../../src/cli/scan-options.ts';
import type { TargetSpec } from '../../src/model.ts';
import { renderJson } from '../../src/report/json.ts';
import { identityOf, scan } from '../../src/run.ts';
import { BACKUPS, BLOCK_BYTES, imageOf, type Series, type Struck, strike } from './backup-series.ts';
import { digestsOf, journalOf, placesOf, ZEROS } from './block-facts.ts';
import {
  type Beyond,
  type HistoryReport,
  type HistoryScore,
  type NamedBlocks,
  namedBlocks,
  scoreHistory,
} from './score.ts';

export interface HistoryCase {
  readonly struck: Struck;
  readonly report: HistoryReport;
  readonly named: NamedBlocks;
  readonly score: HistoryScore;
  /** Blocks that went back, could be told, and are not named. */
  readonly missed: Struck['reverted'];
  /** Blocks that are said to have gone back, and did not. */
  readonly wrong: readonly number[];
}

/** Strikes the end of the series and scans it with all backups. The struck image is left in the series' directory. */
export async function historyCase(series: Series, mode: Mode): Promise<HistoryCase> {
  const struck = strike(series, mode);
  const report = await scanStruck(series, struck);
  const named = namedBlocks(report, BLOCK_BYTES, inode => placesOf(struck.image, inode));
  const beyondOf = beyondReach(series, struck);
  const { reverted } = struck;
  const went = new Set(reverted.map(({ block }) => block));
  return {
    struck,
    report,
    named,
    score: scoreHistory({ reverted, beyondOf }, named),
    missed: reverted.filter(({ block }) => beyondOf(block) === null && !named.all.has(block)),
    wrong: [...named.goneBack.keys()].filter(block => !went.has(block)),
  };
}

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
  const owned = ['end', 'day3'].map(name => EXT4.readBlockRoles(readFileSync(imageOf(series, name))));
  return block => {
    const digest = now[block] ?? '';
    if (digest === ZEROS || backups.at(-1)?.[block] === ZEROS) return 'zeros';
    if (owned.every(roles => roles[block] === 'free')) return 'free';
    return places.get(digest) === 'several' ? 'common' : null;
  };
}
