// Block history, whole: a disk with four backups, blocks of it put back to older ones, and what a scan with these backups
// names of them. The bench counts the same over many seeds. Needs root (loop mounts) and e2fsprogs.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backupSeries, type Series } from '../../bench/history/backup-series.ts';
import { historyCase } from '../../bench/history/history-case.ts';
import {
  addScores,
  EMPTY,
  type HistoryFinding,
  type HistoryReport,
  namedBlocks,
  scoreHistory,
} from '../../bench/history/score.ts';
import { incidentObstacle } from '../../fixtures/incident/incident.ts';

const obstacle = incidentObstacle();
if (obstacle !== null) process.stdout.write(`skipped: block history over four backups: ${obstacle}\n`);

const PATIENCE_MS = 240_000;

describe.skipIf(obstacle !== null)('a scan with four backups', { timeout: PATIENCE_MS }, () => {
  let root = '';
  let series: Series;
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'lostwrite-history-'));
    series = await backupSeries(root, 31);
  }, PATIENCE_MS);
  afterAll(() => {
    rmSync(root, { recursive: true });
  });

  test('names at least 99 of 100 blocks of files and metadata that went back, and no others but as a hint', async () => {
    const { score, missed } = await historyCase(series, 'mixed');
    const reverted = Object.values(score.byRole).reduce((sum, counts) => sum + counts.reverted, 0);
    // Which structures went back besides differs from run to run.
    expect(Object.keys(score.byRole)).toContain('data');
    expect(missed.length).toBeLessThanOrEqual(reverted / 100);
    expect(score.falselySure).toBe(0);
  });

  test('names none of a disk of which nothing went back, but for hints', async () => {
    const { named } = await historyCase(series, 'none');
    expect([...named.goneBack.values()]).not.toContain(true);
    expect([...named.all.values()]).not.toContain(true);
  });
});

describe('the count of blocks that went back', () => {
  const finding = (parts: Partial<HistoryFinding>): HistoryFinding => ({
    path: '/a',
    verdict: 'stale',
    confidence: 'likely',
    metadataOnly: false,
    ranges: [],
    observed: { inode: 12 },
    evidence: [{ rule: 'older-content' }],
    ...parts,
  });
  /** Inode 12 lies at blocks 50, 51 and 70. */
  const placesOf = (inode: number): Map<number, number> =>
    new Map(inode === 12 ? [50, 51, 70].map((place, logical) => [logical, place]) : []);
  const namedBy = (report: Partial<HistoryReport>): (readonly [number, boolean])[] =>
    [...namedBlocks({ blocks: [], findings: [], ...report }, 4096, placesOf).all].sort(([one], [other]) => one - other);

  test('takes blocks of the list, blocks of ranges wherever they lie, and all blocks of a file without ranges', () => {
    const blocks = [{ block: 7, rule: 'went-back-to:x', confidence: 'possible' }] as const;
    expect(namedBy({ blocks })).toEqual([[7, false]]);
    const ranges = [{ offset: 4096, length: 4097, physical: null }];
    expect(namedBy({ findings: [finding({ ranges })] })).toEqual([
      [51, true],
      [70, true],
    ]);
    expect(namedBy({ findings: [finding({})] }).map(([block]) => block)).toEqual([50, 51, 70]);
    expect(namedBy({ findings: [finding({ metadataOnly: true })] })).toEqual([]);
    expect(namedBy({ findings: [finding({ verdict: 'altered' })] })).toEqual([]);
    expect(namedBy({ findings: [finding({ verdict: 'missing' })] })).toEqual([]);
  });

  test('sets apart what is beyond reach, and what did not go back', () => {
    const rule = 'went-back-to:x';
    const blocks = [1, 2, 9].map(block => ({ block, rule, confidence: block === 2 ? 'proven' : 'possible' }) as const);
    const named = namedBlocks({ blocks, findings: [] }, 4096, placesOf);
    const reverted = [1, 2, 3, 4].map(block => ({ block, role: 'data', to: 'day1' }) as const);
    const score = scoreHistory({ reverted, beyondOf: block => (block === 4 ? 'zeros' : null) }, named);
    expect(score).toEqual({
      byRole: { data: { reverted: 3, named: 2, sure: 1 } },
      beyond: { zeros: 1, common: 0, free: 0 },
      falselyNamed: 1,
      falselySure: 0,
    });
    expect(addScores(addScores(EMPTY, score), score).byRole).toEqual({ data: { reverted: 6, named: 4, sure: 2 } });
  });
});
