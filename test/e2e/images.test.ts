// Disk images, whole: what is read of them is what the kernel's mount shows, in whatever container and partition they lie.

import { closeSync, openSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  blank,
  canMount,
  copy,
  digestsOf,
  hasTools,
  MIB,
  makeImages,
  mounted,
  pathsBeyond,
  pathsOf,
  putAt,
  recordsOf,
  stateBefore,
  stateOf,
  tool,
} from './image-fixtures.ts';
import { Place, type Scanned } from './program.ts';

// The whole program runs in each test, on machines that do other things as well.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const MOUNTS = canMount();
const QEMU = MOUNTS && hasTools('qemu-img', 'qemu-io');
const TABLES = MOUNTS && hasTools('mkfs.vfat', 'sgdisk', 'sfdisk', 'mkswap', 'mkfs.btrfs');

let place: Place;
let empty = '';
let filled = '';

beforeAll(() => {
  place = new Place();
  if (!MOUNTS) return;
  ({ empty, filled } = makeImages(place));
  expect(place.baseline(filled, 'filled')).toMatchObject({ status: 0, stderr: '' });
});
afterAll(() => place.remove());

/** Scans against the baseline of the raw image; the file that is scanned stays as it is, bytes and times. */
function scanUntouched(target: string, file = target): Scanned {
  const before = stateBefore(file);
  const scanned = place.scan(target, ['--baseline', 'filled']);
  expect(stateOf(file)).toEqual(before);
  return scanned;
}

function expectUnchanged({ status, stderr, report }: Scanned, files: number): void {
  expect({ status, stderr, findings: report.findings }).toEqual({ status: 0, stderr: '', findings: [] });
  expect(report.summary.files).toBe(files);
}

/** What a refusal says: one line, and nothing that only a programmer understands. */
function refusal(target: string): { readonly status: number | null; readonly line: string } {
  const { status, stdout, stderr } = place.run(place.scanArgs(target));
  expect({ stdout, lines: stderr.trimEnd().split('\n').length }).toEqual({ stdout: '', lines: 1 });
  return { status, line: stderr.trimEnd().replaceAll(`${place.path}/`, '') };
}

describe.skipIf(!MOUNTS)('an image that the kernel filled', () => {
  let digests = new Map<string, string>();
  let paths: string[] = [];

  beforeAll(() => {
    mounted(filled, 'ro,noload', point => {
      digests = digestsOf(point);
      paths = pathsOf(point);
      expect(place.baseline(point, 'mounted')).toMatchObject({ status: 0, stderr: '' });
    });
  });

  test('has the paths that find lists and the digests of sha256sum', () => {
    const records = recordsOf(place, 'filled');
    expect([...records.keys()].sort()).toEqual(paths);
    const files = [...records].filter(([, record]) => record.sha256 !== null);
    expect(new Map(files.map(([path, { sha256 }]) => [path, sha256]))).toEqual(digests);
  });

  test('gives the same baseline as its mount: every path, its metadata, its digest, its blocks', () => {
    const ours = recordsOf(place, 'filled');
    const theirs = recordsOf(place, 'mounted');
    for (const [path, record] of theirs) expect([path, ours.get(path)]).toEqual([path, record]);
    expect(ours.size).toBe(theirs.size);
  });

  test('scanned again, nothing is found and nothing is touched', () => {
    const scanned = scanUntouched(filled);
    expectUnchanged(scanned, digests.size);
  });

  test('against the baseline of its mount nothing is found either', () => {
    const scanned = place.scan(filled, ['--baseline', 'mounted']);
    expectUnchanged(scanned, digests.size);
  });

  test('a block that was zeroed below the file system is found, by its package and by the baseline', () => {
    const harmed = copy(filled, place.at('harmed.img'));
    const [block] = tool('debugfs', '-R', 'blocks /usr/share/oddities/two', filled).trim().split(' ');
    const zeros = blank(place.at('block'), 4096);
    tool('dd', `if=${zeros}`, `of=${harmed}`, 'bs=4096', `seek=${block}`, 'conv=notrunc', 'status=none');
    const { status, report } = place.scan(harmed, ['--baseline', 'filled']);
    expect(status).toBe(1);
    const [finding] = report.findings.filter(({ path }) => path === '/usr/share/oddities/two');
    expect(finding).toMatchObject({ verdict: 'garbage', ranges: [{ offset: 0, length: 4096, state: 'zero' }] });
  });

  describe.skipIf(!QEMU)('in qcow2', () => {
    test.each(['zlib', 'zstd'])('compressed with %s', compression => {
      const image = place.at(`${compression}.qcow2`);
      const options = `compression_type=${compression}`;
      tool('qemu-img', 'convert', '-q', '-c', '-f', 'raw', '-O', 'qcow2', '-o', options, filled, image);
      expectUnchanged(scanUntouched(image), digests.size);
    });

    test('over a backing chain: the empty file system, and what was written since', () => {
      const [base, overlay] = [place.at('base.qcow2'), place.at('overlay.qcow2')];
      tool('qemu-img', 'convert', '-q', '-f', 'raw', '-O', 'qcow2', empty, base);
      tool('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', filled, '-F', 'raw', overlay);
      tool('qemu-img', 'rebase', '-q', '-b', base, '-F', 'qcow2', overlay);
      const before = stateBefore(base);
      expectUnchanged(scanUntouched(overlay), digests.size);
      expect(stateOf(base)).toEqual(before);
    });

    test('in an internal snapshot, of a disk whose head was overwritten since', () => {
      const image = place.at('snapshots.qcow2');
      tool('qemu-img', 'convert', '-q', '-f', 'raw', '-O', 'qcow2', filled, image);
      tool('qemu-img', 'snapshot', '-q', '-c', 'before', image);
      tool('qemu-io', '-f', 'qcow2', '-c', 'write -q -P 0x5a 0 8M', image);
      expectUnchanged(scanUntouched(`${image}@before`, image), digests.size);
      expect(refusal(image).status).toBe(2);
      expect(refusal(`${image}@after`)).toMatchObject({ status: 2, line: expect.stringContaining('"after"') });
    });

    test('refused when it is encrypted', () => {
      const image = place.at('encrypted.qcow2');
      const options = ['-f', 'qcow2', '-o', 'encrypt.format=aes,encrypt.key-secret=key'];
      tool('qemu-img', 'create', '-q', '--object', 'secret,id=key,data=x', ...options, image, '1M');
      expect(refusal(image)).toMatchObject({ status: 2, line: expect.stringContaining('encrypted') });
    });

    test('refused when its backing file is a description', () => {
      const image = place.at('json.qcow2');
      const backing = `json:{"driver":"raw","file":{"driver":"file","filename":"${filled}"}}`;
      tool('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', backing, '-F', 'raw', image);
      expect(refusal(image)).toMatchObject({ status: 2, line: expect.stringContaining('json:') });
    });
  });

  describe.skipIf(!TABLES)('in a partition', () => {
    test('of a GPT, before swap: all that holds files was examined', () => {
      const disk = blank(place.at('gpt.img'), 96 * MIB);
      tool('sgdisk', '-n', '1:1M:+48M', '-n', '2:50M:+16M', '-t', '2:8200', disk);
      const swap = blank(place.at('swap'), 16 * MIB);
      tool('mkswap', swap);
      putAt(disk, MIB, filled);
      putAt(disk, 50 * MIB, swap);
      expectUnchanged(scanUntouched(disk), digests.size);
    });

    test('of an MBR, in an extended partition', () => {
      const disk = blank(place.at('mbr.img'), 96 * MIB);
      const script = 'start=1MiB,size=90MiB,type=5\\nstart=2MiB,size=48MiB,type=83';
      tool('sh', '-c', `printf 'label: dos\\n${script}\\n' | sfdisk -q ${disk}`);
      putAt(disk, 2 * MIB, filled);
      expectUnchanged(scanUntouched(disk), digests.size);
    });

    test('beside Btrfs: that volume is named as not examined, exit code 3', () => {
      const disk = blank(place.at('btrfs-beside.img'), 400 * MIB);
      tool('sgdisk', '-n', '1:1M:+48M', '-n', '2:50M:+320M', disk);
      const btrfs = blank(place.at('btrfs'), 320 * MIB);
      tool('mkfs.btrfs', '-q', btrfs);
      putAt(disk, MIB, filled);
      putAt(disk, 50 * MIB, btrfs);
      const { status, report } = place.scan(disk, ['--baseline', 'filled']);
      expect({ status, complete: report.run.complete, findings: report.findings }).toEqual({
        status: 3,
        complete: false,
        findings: [],
      });
      expect(report.errors).toEqual([
        { path: '/', code: 'volume-not-examined', message: 'volume 1: btrfs is not read' },
      ]);
      expect(report.summary.files).toBe(digests.size);
      expect(place.baseline(disk, 'beside')).toMatchObject({ status: 3, stderr: '' });
    });
  });

  describe.skipIf(!TABLES)('in a disk as platforms make them', () => {
    const plain = { status: 0, stderr: '' };

    function platformDisk(name: string): string {
      const disk = blank(place.at(name), 96 * MIB);
      const types = ['-t', '1:ef02', '-t', '2:ef00', '-t', '3:8300', '-t', '4:8300'];
      tool('sgdisk', '-n', '1:1M:+1M', '-n', '2:2M:+34M', '-n', '3:36M:+48M', '-n', '4:85M:+8M', ...types, disk);
      const [efi, data] = [blank(place.at(`${name}.efi`), 34 * MIB), blank(place.at(`${name}.data`), 8 * MIB)];
      tool('mkfs.vfat', '-F', '32', efi);
      tool('mkfs.ext4', '-q', '-F', data);
      putAt(disk, 2 * MIB, efi);
      putAt(disk, 36 * MIB, filled);
      putAt(disk, 85 * MIB, data);
      return disk;
    }

    test('boot code and the EFI system partition leave nothing out', () => {
      const { status, stderr, report } = place.scan(platformDisk('platform.img'));
      expect({ status, stderr, errors: report.errors }).toEqual({ ...plain, errors: [] });
      expect(report.target.volumes.map(({ filesystem }) => filesystem)).toEqual(['unknown', 'fat', 'ext4', 'ext4']);
      expect(report.summary.files).toBe(digests.size);
    });

    test('with a broken first partition table: the second one is used, and the report says so', () => {
      const disk = platformDisk('table.img');
      tool('dd', 'if=/dev/zero', `of=${disk}`, 'bs=512', 'seek=1', 'count=1', 'conv=notrunc', 'status=none');
      const { status, report } = place.scan(disk);
      const message = 'the first copy is damaged: no header at 512';
      expect({ status, errors: report.errors }).toEqual({
        status: 0,
        errors: [{ path: '/', code: 'gpt-backup-used', message }],
      });
    });

    test('cut off before the last partition, or within it: what is gone is named, exit code 3', () => {
      const disk = platformDisk('cut-disk.img');
      const outcome = (sizeBytes: number) => {
        truncateSync(disk, sizeBytes);
        const { status, report } = place.scan(disk);
        return { status, messages: report.errors.filter(({ code }) => code.startsWith('volume-')).map(e => e.message) };
      };
      const within =
        'volume 3: the last 4 MiB of the file system are not there: the image was cut, or its superblock is of another day';
      expect(outcome(89 * MIB)).toEqual({ status: 3, messages: [within] });
      const before = `volume 3: it begins at byte ${85 * MIB}, and the disk ends at ${84.5 * MIB}: the image was cut`;
      expect(outcome(84.5 * MIB)).toEqual({ status: 3, messages: [before] });
    });

    test('is inspected: one JSON object with each partition, its times in UTC', () => {
      const { status, stdout } = place.run(['inspect', '--json', platformDisk('inspected.img')]);
      const { format, version, container, volumes } = JSON.parse(stdout);
      expect({ status, format, version, container }).toEqual({
        status: 0,
        format: 'lostwrite-inspection',
        version: 1,
        container: 'raw',
      });
      expect(volumes.map(({ partition }: { partition: string }) => partition)).toEqual([
        '1 of the GPT, BIOS boot',
        '2 of the GPT, EFI system',
        '3 of the GPT, Linux file system',
        '4 of the GPT, Linux file system',
      ]);
      const { times } = volumes[3];
      const made = tool('dumpe2fs', '-h', place.at('inspected.img.data'));
      const created = new Date(`${/Filesystem created: +(.*)/.exec(made)?.[1]} UTC`).toISOString().replace('.000', '');
      expect(times).toEqual({ made: created, mounted: null, written: created, checked: created });
    });
  });

  test.each([0, 1500, 60_000])('cut off after %i bytes: refused in one line', sizeBytes => {
    const cut = copy(filled, place.at(`cut-${sizeBytes}.img`));
    truncateSync(cut, sizeBytes);
    expect(refusal(cut).status).toBe(2);
  });

  test('cut off within its files: what lies beyond the end is unreadable, exit code 3', () => {
    const cut = copy(filled, place.at('cut.img'));
    truncateSync(cut, 20 * MIB);
    const { status, stderr, report } = place.scan(cut, ['--baseline', 'filled']);
    expect({ status, stderr }).toEqual({ status: 3, stderr: '' });
    const beyond = mounted(filled, 'ro,noload', point => pathsBeyond(filled, point, (20 * MIB) / 4096));
    expect(beyond.length).toBeGreaterThan(0);
    expect(report.findings.map(({ path, verdict }) => `${path} ${verdict}`)).toEqual(
      beyond.sort().map(path => `${path} unreadable`),
    );
  });
});

describe.skipIf(!MOUNTS)('an image that was copied while it was mounted', () => {
  test('shows what the kernel shows after its replay', () => {
    const busy = copy(filled, place.at('busy.img'));
    const dirty = place.at('dirty.img');
    mounted(busy, 'rw', point => {
      for (let index = 0; index < 300; index++) writeFileSync(`${point}/many-3/new-${index}`, `new ${index}`);
      for (let index = 1; index < 60; index += 2) unlinkSync(`${point}/many-${index % 10}/file-${index}`);
      const held = openSync(`${point}/many-2/file-2`, 'r');
      unlinkSync(`${point}/many-2/file-2`);
      tool('sync', '--file-system', point);
      copy(busy, dirty);
      closeSync(held);
    });
    expect(tool('dumpe2fs', '-h', dirty)).toContain('needs_recovery');
    const before = stateBefore(dirty);
    expect(place.baseline(dirty, 'dirty')).toMatchObject({ status: 0, stderr: '' });
    expect(stateOf(dirty)).toEqual(before);
    mounted(copy(dirty, place.at('replayed.img')), 'rw,noatime', point => {
      expect(place.baseline(point, 'replayed')).toMatchObject({ status: 0, stderr: '' });
    });
    const ours = recordsOf(place, 'dirty');
    const theirs = recordsOf(place, 'replayed');
    for (const [path, record] of theirs) expect([path, ours.get(path)]).toEqual([path, record]);
    expect([...ours.keys()].filter(path => !theirs.has(path))).toEqual([]);
    expect(place.scan(dirty, ['--baseline', 'replayed'])).toMatchObject({ status: 0, report: { findings: [] } });
  });

  test('whose journal is broken, which the kernel refuses: the report says so, exit code 3', () => {
    const broken = copy(place.at('dirty.img'), place.at('broken.img'));
    const [block] = tool('debugfs', '-R', 'blocks <8>', broken).trim().split(' ');
    const zeros = blank(place.at('journal-block'), 4096);
    tool('dd', `if=${zeros}`, `of=${broken}`, 'bs=4096', `seek=${block}`, 'conv=notrunc', 'status=none');
    expect(() => mounted(copy(broken, place.at('refused.img')), 'rw', () => null)).toThrow();
    const { status, report } = place.scan(broken);
    expect({ status, complete: report.run.complete }).toEqual({ status: 3, complete: false });
    expect(report.errors.map(({ code }) => code)).toEqual(['journal-not-replayed']);
    expect(place.baseline(broken, 'broken')).toMatchObject({ status: 3, stderr: '' });
    expect(place.scan(broken, ['--no-replay']).report.errors).toEqual([]);
  });
});
