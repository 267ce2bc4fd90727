// Blocks that went back, handed to the files that have them, and the rest of them to the report's list.

import { describe, expect, test } from 'vitest';
import type { Stat } from '../../src/model.ts';
import type { GoneBack } from '../../src/run/block-history.ts';
import { FileHistory } from '../../src/run/file-history.ts';
import { reportBlocks } from '../../src/run/report-blocks.ts';
import type { SpoolEntry } from '../../src/run/spool.ts';
import { day, file } from '../judge/path-case-of.ts';

const UNIT = 4096;
const VOLUME_AT = 2 ** 20;

function gone(parts: Partial<GoneBack>): GoneBack {
  const place = { logical: 0, physical: 100, length: 1 } as const;
  const owner = { role: 'data', inode: 12, generation: 7, isOwned: true, isOwn: true } as const;
  return { ...owner, ...place, backTo: 'monday', confidence: 'likely', ...parts };
}

const stat = (parts: Partial<Stat> = {}): Stat =>
  file(22, '', { sizeBytes: 10 * UNIT, stat: { generation: 7, ...parts } }).stat;

async function* entries(...stats: readonly Stat[]): AsyncIterable<SpoolEntry> {
  for (const each of stats) yield { stat: each } as SpoolEntry;
}

describe('the history of a file', () => {
  test('is its blocks in order, as bytes of the file and of the container, cut at its end', () => {
    const found = [
      gone({ logical: 9, physical: 40, length: 4 }),
      gone({ logical: 2, physical: 50, isOwn: false, confidence: 'possible', backTo: 'sunday' }),
      gone({ logical: 12, physical: 60 }),
      gone({ inode: 13 }),
      gone({ generation: 8 }),
    ];
    const history = new FileHistory(found, UNIT, VOLUME_AT);
    const bytes = { length: UNIT, isOwn: true, isTelling: true, backTo: 'monday' };
    expect(history.spansOf(stat())).toEqual([
      { ...bytes, offset: 2 * UNIT, physical: VOLUME_AT + 50 * UNIT, isOwn: false, isTelling: false, backTo: 'sunday' },
      { ...bytes, offset: 9 * UNIT, physical: VOLUME_AT + 40 * UNIT },
    ]);
    expect(history.spansOf(stat({ type: 'directory' }))).toEqual([]);
    expect(history.spansOf(stat({ inode: 14n }))).toEqual([]);
  });

  test('leaves to the report what is of no file with a name', async () => {
    const found = [
      gone({ physical: 1 }),
      gone({ physical: 2, inode: 13 }),
      gone({ physical: 3, generation: 8 }),
      gone({ physical: 4, isOwned: false }),
      gone({ physical: 5, role: 'inode-table', inode: 0, generation: 0 }),
    ];
    const history = new FileHistory(found, UNIT, VOLUME_AT);
    const untold = await history.untold(entries(stat(), stat({ inode: 13n, type: 'symlink' })), null);
    expect(untold.map(({ physical }) => physical)).toEqual([2, 3, 4, 5]);
  });

  test('is likely of a directory that nothing has touched since the newest map, unless inodes went back', async () => {
    const directory = { role: 'directory', confidence: 'possible' } as const;
    const found = [
      gone({ ...directory, inode: 20 }),
      gone({ ...directory, inode: 21 }),
      gone({ ...directory, inode: 22 }),
    ];
    const found20 = stat({ type: 'directory', inode: 20n, ctimeNs: day(20) });
    const found21 = stat({ type: 'directory', inode: 21n, ctimeNs: day(20) + 1n });
    const confidences = async (newestNs: bigint | null, ...more: readonly GoneBack[]) => {
      const history = new FileHistory([...found, ...more], UNIT, VOLUME_AT);
      const untold = await history.untold(entries(found20, found21), newestNs);
      return untold.filter(({ role }) => role === 'directory').map(({ confidence }) => confidence);
    };
    expect(await confidences(day(20))).toEqual(['likely', 'possible', 'possible']);
    expect(await confidences(null)).toEqual(['possible', 'possible', 'possible']);
    const inodes = gone({ role: 'inode-table', inode: 0, generation: 0, confidence: 'proven' });
    expect(await confidences(day(20), inodes)).toEqual(['possible', 'possible', 'possible']);
  });
});

test('the report lists each block once, in the words of its contract', () => {
  const structure = { inode: 0, generation: 0, isOwned: true, isOwn: true } as const;
  const found = [
    gone({ ...structure, role: 'inode-table', physical: 4, length: 2, confidence: 'proven' }),
    gone({ ...structure, role: 'block-bitmap', physical: 8 }),
    gone({ ...structure, role: 'multi-mount-protection', physical: 9 }),
    gone({ role: 'directory', physical: 12, confidence: 'possible' }),
    gone({ role: 'attributes', physical: 14, confidence: 'possible' }),
    gone({ isOwned: false, physical: 16, length: 3, confidence: 'possible' }),
  ];
  const lines = (unitsPerBlock: number): string[] =>
    reportBlocks(1, found, unitsPerBlock).map(
      ({ volume, block, role, rule, confidence }) => `${volume}: ${block} ${role} ${rule} ${confidence}`,
    );
  expect(lines(1)).toEqual([
    '1: 4 inode-table went-back-to:monday proven',
    '1: 5 inode-table went-back-to:monday proven',
    '1: 8 bitmap went-back-to:monday likely',
    '1: 12 directory went-back-to:monday possible',
    '1: 14 data went-back-to:monday possible',
    '1: 16 data went-back-to:monday possible',
    '1: 17 data went-back-to:monday possible',
    '1: 18 data went-back-to:monday possible',
  ]);
  expect(lines(4).map(line => line.split(' ')[1])).toEqual(['1', '2', '3', '4']);
});
