// The whole program with `--before`: writes that never landed are shown to the byte, whatever the block size, the partition
// and the container; what cannot be compared is refused in one line. Oracles: debugfs tells the blocks, we put the old ones back.

import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { run } from '../../fixtures/incident/processes.ts';
import { canMount, hasTools } from './image-fixtures.ts';
import { Place, type ReadFinding } from './program.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const READY = canMount() && hasTools('mkfs.ext4', 'debugfs', 'sfdisk', 'qemu-img');
const QUIET_MIB = 24;
const SECTOR_BYTES = 512;

let place: Place;
beforeAll(() => {
  place = new Place();
  mkdirSync(place.at('mnt'));
});
afterAll(() => place.remove());

interface Shape {
  readonly name: string;
  readonly blockBytes: number;
  /** Sectors before the file system: 0, no partition table. */
  readonly startSectors: number;
}

/** A disk and the image of it from before. */
interface Disk extends Shape {
  readonly before: string;
  readonly between: string;
  readonly now: string;
}

function mounted(image: string, { startSectors }: Shape, command: string): void {
  const ways = `loop,noatime,offset=${startSectors * SECTOR_BYTES}`;
  run('mount', ['-t', 'ext4', '-o', ways, image, place.at('mnt')]);
  try {
    run('bash', ['-ec', command], { cwd: place.at('mnt') });
  } finally {
    run('umount', [place.at('mnt')]);
  }
}

/**
 * Before: /kept and /grown, and old bytes in every free block. Now: /new of ten blocks and 100 bytes, /grown longer,
 * /kept gone to /renamed. Between: /renamed, and /between, which is gone now.
 */
function makeDisk(shape: Shape): Disk {
  const now = place.at(`${shape.name}.img`);
  const before = place.at(`${shape.name}-before.img`);
  const between = place.at(`${shape.name}-between.img`);
  writeFileSync(now, '');
  truncateSync(now, QUIET_MIB * 1024 * 1024);
  const { blockBytes } = shape;
  const offset = shape.startSectors * SECTOR_BYTES;
  if (shape.startSectors > 0) {
    const table = `printf 'label: dos\\nstart=%d, type=83\\n' ${shape.startSectors} | sfdisk -q ${now}`;
    run('bash', ['-ec', table]);
  }
  const blocks = Math.floor((QUIET_MIB * 1024 * 1024 - offset) / blockBytes);
  const options = ['-q', '-F', '-b', String(blockBytes), '-J', 'size=4', '-E', `offset=${offset}`];
  run('mkfs.ext4', [...options, now, String(blocks)]);
  const fill = [65_536, blockBytes].map(
    bytes => `dd if=/dev/urandom of=fill${bytes} bs=${bytes} oflag=direct status=none 2> /dev/null || true`,
  );
  const old = 'head -c 30000 /dev/urandom > kept; head -c 5000 /dev/urandom > grown; sync -f .';
  mounted(now, shape, `${old}; ${fill.join('; ')}; rm fill*`);
  copyFileSync(now, before);
  mounted(now, shape, 'echo between > between; mv kept renamed');
  copyFileSync(now, between);
  const written = `head -c ${10 * blockBytes + 100} /dev/urandom > new; head -c 40000 /dev/urandom >> grown`;
  mounted(now, shape, `${written}; rm between`);
  return { ...shape, before, between, now };
}

/** The file's blocks in the order of its content, as debugfs tells them. */
function blocksOf({ now, startSectors }: Disk, path: string): number[] {
  const { output } = run('debugfs', ['-R', `blocks ${path}`, `${now}?offset=${startSectors * SECTOR_BYTES}`]);
  const [, numbers = ''] = /^([0-9 ]+)$/m.exec(output) ?? [];
  return numbers.trim().split(/ +/).map(Number);
}

/** Puts back what the disk held before at one block of a file. */
function lose(disk: Disk, path: string, index: number): void {
  const block = blocksOf(disk, path)[index] ?? 0;
  expect(block).toBeGreaterThan(0);
  const at = disk.startSectors * SECTOR_BYTES + block * disk.blockBytes;
  const bytes = Buffer.alloc(disk.blockBytes);
  const [from, to] = [openSync(disk.before, 'r'), openSync(disk.now, 'r+')];
  readSync(from, bytes, 0, bytes.length, at);
  expect(bytes.some(byte => byte !== 0)).toBe(true);
  writeSync(to, bytes, 0, bytes.length, at);
  for (const file of [from, to]) closeSync(file);
}

const sure = (findings: readonly ReadFinding[]) =>
  findings
    .filter(({ confidence }) => confidence !== 'possible')
    .map(({ path, verdict, confidence, evidence }) => `${path} ${verdict} ${confidence} ${evidence[0]?.rule}`);

const rangesOf = (findings: readonly ReadFinding[], path: string) =>
  findings
    .find(finding => finding.path === path)
    ?.ranges.map(({ offset, length, state }) => `${state} ${offset}+${length}`);

describe.skipIf(!READY)('writes that never landed', () => {
  const shapes = [1024, 2048, 4096].flatMap(blockBytes => [
    { name: `${blockBytes}-whole`, blockBytes, startSectors: 0 },
    { name: `${blockBytes}-at-63`, blockBytes, startSectors: 63 },
  ]);

  it.each(shapes)('are shown to the byte: $blockBytes bytes a block, from sector $startSectors on', shape => {
    const disk = makeDisk(shape);
    const { blockBytes } = shape;
    expect(sure(place.scan(disk.now, ['--before', disk.before]).report.findings)).toEqual([]);
    for (const index of [2, 3, 4, 7, 10]) lose(disk, '/new', index);
    const { status, stderr, report } = place.scan(disk.now, ['--before', disk.before]);
    expect({ status, stderr, complete: report.run.complete }).toEqual({ status: 1, stderr: '', complete: true });
    expect(sure(report.findings)).toEqual(['/new garbage likely never-landed']);
    expect(rangesOf(report.findings, '/new')).toEqual([
      `garbage ${2 * blockBytes}+${3 * blockBytes}`,
      `garbage ${7 * blockBytes}+${blockBytes}`,
      `garbage ${10 * blockBytes}+100`,
    ]);
    const physical = report.findings.find(({ path }) => path === '/new')?.ranges.map(range => range.physical);
    const places = [2, 7, 10].map(index => (blocksOf(disk, '/new')[index] ?? 0) * blockBytes);
    expect(physical).toEqual(places.map(at => at + shape.startSectors * SECTOR_BYTES));
  });
});

describe.skipIf(!READY)('an image of before', () => {
  let disk: Disk;
  beforeAll(() => {
    disk = makeDisk({ name: 'one', blockBytes: 4096, startSectors: 0 });
    lose(disk, '/new', 5);
  });
  const findingsWith = (...before: readonly string[]) =>
    place.scan(
      disk.now,
      before.flatMap(image => ['--before', image]),
    ).report.findings;

  it('may be of another format than the disk', () => {
    run('qemu-img', ['convert', '-O', 'qcow2', disk.before, place.at('before.qcow2')]);
    expect(sure(findingsWith(place.at('before.qcow2')))).toEqual(['/new garbage likely never-landed']);
    expect(rangesOf(findingsWith(place.at('before.qcow2')), '/new')).toEqual(['garbage 20480+4096']);
  });

  it('may be one of several', () => {
    expect(sure(findingsWith(disk.before, disk.between))).toEqual(['/new garbage likely never-landed']);
  });

  it('says of itself nothing', () => {
    const { status, report } = place.scan(disk.before, ['--before', disk.before]);
    expect({ status, findings: report.findings }).toEqual({ status: 0, findings: [] });
  });

  it('serves an explanation', () => {
    const explain = ['explain', disk.now, '/new', '--before', disk.before, '--store', place.store];
    const { status, stdout } = place.run(explain);
    expect(status).toBe(0);
    expect(stdout).toContain('never-landed');
  });

  it('that is cut short says in one line what it cannot tell, and accuses nobody of it', () => {
    const cut = place.at('cut.img');
    copyFileSync(disk.before, cut);
    truncateSync(cut, 3 * 1024 * 1024);
    const { stderr } = place.run(['scan', disk.now, '--before', cut, '--store', place.store, '--force']);
    expect(stderr.split('\n').filter(line => /cut\.img: 2 path\(s\) could not be read/.test(line)).length).toBe(1);
    expect(sure(findingsWith(cut))).toEqual([]);
  });

  it('leaves nothing behind, and is not written to', () => {
    const digest = () => run('sha256sum', [disk.before, disk.now]).output;
    const untouched = digest();
    const files = run('ls', ['-A', place.path]).output;
    findingsWith(disk.before);
    expect({ digest: digest(), files: run('ls', ['-A', place.path]).output }).toEqual({ digest: untouched, files });
  });
});

describe.skipIf(!READY)('refused in one line', () => {
  let disk: Disk;
  beforeAll(() => {
    disk = makeDisk({ name: 'refused', blockBytes: 4096, startSectors: 0 });
  });

  function refusal(before: string): string {
    const { status, stdout, stderr } = place.run(place.scanArgs(disk.now, ['--before', before]));
    expect({ status, stdout, lines: stderr.trimEnd().split('\n').length }).toEqual({ status: 2, stdout: '', lines: 1 });
    return stderr.trimEnd().replaceAll(`${place.path}/`, '');
  }

  it('an image of another file system', () => {
    const other = makeDisk({ name: 'other', blockBytes: 4096, startSectors: 0 });
    expect(refusal(other.before)).toMatch(
      /^lostwrite: --before .*other-before.img: volume 0 is another file system \(UUID /,
    );
  });

  it('a directory', () => {
    expect(refusal(place.at('mnt'))).toContain('a directory is no image');
  });

  it('an image that is not there', () => {
    expect(refusal(place.at('absent.img'))).toContain('absent.img');
  });

  it('an image that is empty, or holds no file system', () => {
    writeFileSync(place.at('empty.img'), '');
    expect(refusal(place.at('empty.img'))).toContain('empty.img');
    writeFileSync(place.at('noise.img'), Buffer.alloc(1024 * 1024, 'noise'));
    expect(refusal(place.at('noise.img'))).toContain('noise.img');
  });
});
