// Where on the disk: a partition with an ext4 of which writes were lost, by the host's extents, as an answer to who lives
// where, and block by block. What debugfs says of blocks is what is expected.

import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { blank, canMount, copy, hasTools, MIB, mounted, putAt, tool } from './image-fixtures.ts';
import { Place, type Scanned } from './program.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const READY = canMount() && hasTools('sfdisk', 'debugfs');

const BLOCK = 4096;
const STRIPE = 4 * MIB;
/** Of the partition. */
const START = MIB;

let place: Place;
let before = '';
let disk = '';
/** The file system by itself, for debugfs. */
let filesystem = '';

/** The file system in a partition that starts at 1 MiB. */
function inPartition(image: string): string {
  const whole = blank(`${image}.disk`, 66 * MIB);
  const table = place.at('table');
  writeFileSync(table, 'label: dos\nstart=2048, type=83\n');
  tool('sh', '-c', `sfdisk --quiet ${whole} < ${table}`);
  putAt(whole, START, image);
  return whole;
}

function blocksOf(path: string): number[] {
  return tool('debugfs', '-R', `blocks ${path}`, filesystem).trim().split(/\s+/).map(Number);
}

/** Puts blocks of one image into another. */
function revert(from: string, to: string, blocks: readonly number[]): void {
  const [source, target] = [openSync(from, 'r'), openSync(to, 'r+')];
  const bytes = new Uint8Array(BLOCK);
  for (const block of blocks) {
    readSync(source, bytes, 0, BLOCK, block * BLOCK);
    writeSync(target, bytes, 0, BLOCK, block * BLOCK);
  }
  closeSync(source);
  closeSync(target);
}

/** Every free block has held something. */
function makeBefore(): string {
  const image = blank(place.at('before'), 64 * MIB);
  tool('mkfs.ext4', '-q', '-F', '-b', String(BLOCK), '-O', '^has_journal', image);
  mounted(image, 'rw', point => {
    writeFileSync(`${point}/rewritten`, randomBytes(24 * BLOCK));
    tool('sh', '-c', `head -c 70M /dev/urandom > ${point}/filler || true`);
    rmSync(`${point}/filler`);
  });
  return image;
}

function live(image: string): void {
  mounted(image, 'rw', point => {
    for (const name of ['first', 'second', 'sound']) writeFileSync(`${point}/${name}`, randomBytes(8 * BLOCK - 100));
    const file = openSync(`${point}/rewritten`, 'r+');
    writeSync(file, randomBytes(12 * BLOCK), 0, 12 * BLOCK, 0);
    closeSync(file);
  });
}

beforeAll(() => {
  place = new Place();
  if (!READY) return;
  const image = makeBefore();
  before = inPartition(image);
  filesystem = copy(image, place.at('now'));
  live(filesystem);
  revert(image, filesystem, [...blocksOf('/first'), ...blocksOf('/second'), ...blocksOf('/rewritten').slice(4, 8)]);
  disk = inPartition(filesystem);
});
afterAll(() => place.remove());

interface ReadExtent {
  readonly offset: number;
  readonly length: number;
  readonly suspect: boolean;
  readonly findings: number;
  readonly paths: readonly { readonly path: string }[];
  readonly residents: number;
  readonly others: readonly { readonly path: string }[];
  readonly structures: readonly { readonly role: string; readonly bytes: number }[];
  readonly freeBytes: number;
  readonly outsideBytes: number;
}

function extentsOf({ stdout }: Scanned): ReadExtent[] {
  return JSON.parse(stdout).extents;
}

const offsetOf = (block: number): number => START + block * BLOCK;
const stripesOf = (path: string): Set<number> =>
  new Set(blocksOf(path).map(block => Math.floor(offsetOf(block) / STRIPE)));

describe.skipIf(!READY)('a partition of which writes were lost', () => {
  test('the damage is in the host’s extents that debugfs says, with all who live there', () => {
    const scanned = place.scan(disk, ['--before', before, '--stripe', '4M']);
    const lost = ['/first', '/second'];
    const all = ['/', '/first', '/lost+found', '/rewritten', '/second', '/sound'];
    const numbers = [...new Set(lost.flatMap(path => [...stripesOf(path)]))].sort((left, right) => left - right);
    const expected = numbers.map(number => ({
      offset: number * STRIPE,
      length: STRIPE,
      suspect: false,
      paths: lost.filter(path => stripesOf(path).has(number)),
      others: all.filter(path => !lost.includes(path) && stripesOf(path).has(number)),
    }));
    const found = extentsOf(scanned).map(({ offset, length, suspect, paths, others }) => ({
      offset,
      length,
      suspect,
      paths: paths.map(({ path }) => path),
      others: others.map(({ path }) => path),
    }));
    expect(found).toEqual(expected);
  });

  test('a range names the byte of the disk where it begins', () => {
    const { report } = place.scan(disk, ['--before', before]);
    const likely = report.findings.filter(({ confidence }) => confidence === 'likely');
    const places = likely.map(({ path, ranges }) => [path, ranges[0]?.physical]);
    expect(places).toEqual([
      ['/first', offsetOf(blocksOf('/first')[0] ?? 0)],
      ['/second', offsetOf(blocksOf('/second')[0] ?? 0)],
    ]);
  });

  test('suspect extents are answered: files, structures, free blocks, and what is in no volume', () => {
    const [free = 0] = (/Free blocks found: (\d+)/.exec(tool('debugfs', '-R', 'ffb 1', filesystem)) ?? [])
      .slice(1)
      .map(Number);
    const list = place.at('suspects.csv');
    const sound = blocksOf('/sound').map(block => `${offsetOf(block)},${BLOCK}`);
    writeFileSync(
      list,
      [`0,512 # the partition table`, `0x100000,4096`, ...sound, `${offsetOf(free)},4096`].join('\n'),
    );
    const scanned = place.scan(disk, ['--before', before, '--suspect-extents', list]);
    const hinted = scanned.report.findings.filter(({ verdict }) => verdict === 'suspect');
    expect(hinted.map(({ path, confidence, evidence }) => [path, confidence, evidence[0]?.rule])).toEqual([
      ['/sound', 'possible', 'in-suspect-extent'],
    ]);
    const answers = extentsOf(scanned).map(extent => [
      extent.offset,
      extent.findings,
      extent.others.map(({ path }) => path).join(),
      extent.structures.map(({ role }) => role).join(),
      extent.freeBytes,
      extent.outsideBytes,
    ]);
    const ofSound = blocksOf('/sound').map(block => [offsetOf(block), 0, '/sound', '', 0, 0]);
    const expected = [
      [0, 0, '', '', 0, 512],
      [START, 0, '', 'superblock', 0, 0],
      ...ofSound,
      [offsetOf(free), 0, '', '', BLOCK, 0],
    ];
    expect(answers).toEqual(expected.sort((left, right) => Number(left[0]) - Number(right[0])));
  });

  test('a line that is none: one line with its number, exit code 2', () => {
    const list = place.at('wrong.csv');
    writeFileSync(list, '0,512\n12MB,4096\n');
    const { status, stderr } = place.run(place.scanArgs(disk, ['--suspect-extents', list]));
    expect([status, stderr]).toEqual([
      2,
      `lostwrite: ${list}:2: "12MB,4096": expected OFFSET,LENGTH in bytes, decimal or 0x hexadecimal\n`,
    ]);
  });
});

describe.skipIf(!READY)('explain', () => {
  const strip = (path: string): string[] => {
    const { stdout } = place.run([
      'explain',
      disk,
      path,
      '--before',
      before,
      '--store',
      place.store,
      '--force',
      '--quiet',
    ]);
    const lines = stdout.split('\n');
    const first = lines.findIndex(line => line.includes('the day that each is of'));
    return lines.slice(first, lines.indexOf('Now')).filter(line => line !== '');
  };

  test('draws a file that was written in place, and went back in part', () => {
    const [title, row, ...legend] = strip('/rewritten');
    expect(title).toBe('24 blocks of 4 KiB, and the day that each is of:');
    expect(row).toBe('         0  ++++####++++#### ########');
    expect(legend[0]).toBe('  +   8 blocks  written since, and nothing knows what it should be (32 KiB)');
    expect(legend.slice(1).join(' ').replace(/\s+/g, ' ')).toMatch(
      /^ # 16 blocks as in before:.*before\.disk of .* UTC, the newest state known \(64 KiB\)$/,
    );
  });

  test('draws a file that never landed', () => {
    expect(strip('/first')).toEqual([
      '8 blocks of 4 KiB, and the day that each is of:',
      '         0  !!!!!!!!',
      '  !  8 blocks  never landed, or went back: what the disk held there before (32',
      '               KiB)',
    ]);
  });
});
