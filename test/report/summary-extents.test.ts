// Where on the host: lines of the summary.

import { expect, test } from 'vitest';
import { NO_COLOURS } from '../../src/report/palette.ts';
import type { ReportExtent } from '../../src/report/report.ts';
import { extentLines } from '../../src/report/summary-extents.ts';

const display = { palette: NO_COLOURS, columns: 80, volumeOf: () => '' };
const at = (...paths: readonly string[]) => paths.map(path => ({ volume: 0, path }));

function extent(mib: number, parts: Partial<ReportExtent> = {}): ReportExtent {
  const nothing = { findings: 0, paths: [], residents: 0, others: [], structures: [], freeBytes: 0, outsideBytes: 0 };
  return { offset: mib * 2 ** 20, length: 4_194_304, suspect: false, ...nothing, ...parts };
}

test('says nothing when nothing was asked', () => {
  expect(extentLines([], display)).toEqual([]);
});

test('names the worst extents first, those who were harmed and those who live there', () => {
  const extents = [
    extent(4, { findings: 1, paths: at('/a\nb') }),
    extent(8, { findings: 4, paths: at('/1', '/2', '/3', '/4'), residents: 1, others: at('/etc') }),
  ];
  expect(extentLines(extents, display)).toEqual([
    'Where on the host',
    '  2 extents of 4 MiB lost something. The worst, by their first byte on the disk:',
    '       8,388,608  4 damaged: /1, /2, /3, …',
    '                  1 other: /etc',
    '       4,194,304  1 damaged: /a\\nb',
  ]);
});

test('answers for suspect extents', () => {
  const structures = [
    { volume: 0, role: 'superblock', bytes: 4096 },
    { volume: 0, role: 'inode-table', bytes: 8192 },
  ] as const;
  const extents = [
    extent(0, { suspect: true, structures }),
    extent(4, { suspect: true, residents: 2, others: at('/a', '/b') }),
    extent(8, { suspect: true, freeBytes: 4096 }),
    extent(12, { suspect: true, findings: 1, paths: at('/c') }),
  ];
  expect(extentLines(extents, display)).toEqual([
    'Where on the host',
    '  4 suspect extents, 1 of them with damage that was found:',
    '      12,582,912  1 damaged: /c',
    '               0  the file system’s own: superblock, inode-table',
    '       4,194,304  2 paths: /a, /b',
    '       8,388,608  nobody lives there',
  ]);
});

test('names six, and counts the others', () => {
  const extents = Array.from({ length: 8 }, (_, index) => extent(4 * index, { findings: 1, paths: at(`/${index}`) }));
  const lines = extentLines(extents, display);
  expect(lines.slice(-2)).toEqual(['      20,971,520  1 damaged: /5', '    and 2 more extents: the report names them']);
});
