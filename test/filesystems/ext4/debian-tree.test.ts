// A real Debian tree on a file system of the real mke2fs: every path, inode and byte is what the kernel's mount shows,
// in whatever container and partition the file system lies.

import { truncateSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { TargetSpec } from '../../../src/model.ts';
import { identityOf, openTarget } from '../../../src/tree/open-target.ts';
import { copyDebianTree, PLAIN, SMALLEST, whyNoDebianTree } from './debian-tree.ts';
import { FORMATS, type Format, MORE_FORMATS } from './formats.ts';
import { makeImage, run, scratchDirectory, whyNoMount, withMount, works } from './loop-mount.ts';
import { stateOfFilesystem, stateOfMount, type TreeState } from './mount-state.ts';

const MEBIBYTE = 2 ** 20;
const SIZE = 640 * MEBIBYTE;

/** On every push: the three block sizes, and between them what changes where things lie. */
const FEW: readonly Format[] = [
  ['as mke2fs makes it', ['-t', 'ext4']],
  [
    '1 KiB blocks, and what the inode holds itself',
    ['-t', 'ext4', '-b', '1024', '-O', 'inline_data,ea_inode,large_dir,orphan_file,metadata_csum_seed'],
  ],
  ['2 KiB blocks in clusters', ['-t', 'ext4', '-b', '2048', '-O', 'bigalloc,meta_bg,^resize_inode', '-C', '8192']],
];
/** Quota needs a kernel that was built for it: kernel-mount.test.ts tries. */
const MOUNTABLE = FORMATS.filter(([name]) => name !== 'quota and project');
const LONG = process.env.LOSTWRITE_LONG_TESTS !== undefined;

const reason = whyNoMount() ?? whyNoDebianTree();
if (reason !== null) process.stderr.write(`debian-tree.test.ts skipped: ${reason}\n`);
const noQemu = works('qemu-img', ['--version']) && works('qemu-io', ['--version']) ? null : 'no qemu-img, no qemu-io';
const noTables = works('sgdisk', ['--version']) && works('sfdisk', ['--version']) ? null : 'no sgdisk, no sfdisk';
for (const lack of [noQemu, noTables]) {
  if (lack !== null) process.stderr.write(`debian-tree.test.ts skipped in part: ${lack}\n`);
}

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

describe.skipIf(reason !== null)('a Debian tree that the kernel copied', () => {
  const scratch = scratchDirectory();
  const at = (name: string) => `${scratch.path}/${name}`;
  afterAll(() => scratch.remove());

  function fill(image: string, options: readonly string[], priorities: readonly string[]): TreeState {
    let state: TreeState = new Map();
    expect(makeImage(image, SIZE, options)).toBe(true);
    expect(withMount(image, at('mount'), 'rw', () => copyDebianTree(at('mount'), priorities))).toBe(true);
    withMount(image, at('mount'), 'ro,noload', () => {
      state = stateOfMount(at('mount'));
    });
    return state;
  }

  it.each(LONG ? [...FEW, ...MOUNTABLE, ...MORE_FORMATS] : FEW)('on %s', (_name, options) => {
    const expected = fill(at('image'), options, PLAIN);
    expect(expected.size).toBeGreaterThan(5000);
    expectTree(read(at('image')), expected);
  });

  describe('in a container', () => {
    let expected: TreeState = new Map();
    beforeAll(() => {
      expected = fill(at('raw'), ['-t', 'ext4'], SMALLEST);
    });

    describe.skipIf(noQemu !== null)('of QEMU', () => {
      it.each(['zlib', 'zstd'])('compressed with %s', compression => {
        const options = ['-c', '-o', `compression_type=${compression}`];
        run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', ...options, at('raw'), at('compressed')]);
        expectTree(read(at('compressed')), expected);
      });

      it('over a chain of backing files, of which each has a part', () => {
        const [base, middle, top, half] = [at('base'), at('middle'), at('top'), at('half')];
        run('cp', [at('raw'), half]);
        for (const sizeBytes of [SIZE / 4, SIZE]) truncateSync(half, sizeBytes);
        run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', half, base]);
        run('cp', [at('raw'), half]);
        for (const sizeBytes of [SIZE / 2, SIZE]) truncateSync(half, sizeBytes);
        overlay(base, half, middle);
        overlay(middle, at('raw'), top);
        expectTree(read(top), expected);
      });

      it('in a snapshot of a disk that was overwritten since', () => {
        run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', at('raw'), at('disk')]);
        run('qemu-img', ['snapshot', '-c', 'kept', at('disk')]);
        run('qemu-io', ['-f', 'qcow2', '-c', `write -q -P 0x5a 0 ${SIZE}`, at('disk')]);
        expectTree(read(at('disk'), { snapshot: 'kept' }), expected);
      });
    });

    describe.skipIf(noTables !== null)('with a partition table', () => {
      it.each([
        ['GPT', (disk: string) => run('sgdisk', ['-n', '1:1M:+8M', '-n', `2:16M:+${SIZE / MEBIBYTE}M`, disk]), 16],
        ['MBR, in a logical partition', logical, 18],
      ])('%s', (_name, partition, startMebibytes) => {
        writeFileSync(at('table'), '');
        truncateSync(at('table'), SIZE + 32 * MEBIBYTE);
        partition(at('table'));
        const copy = ['bs=1M', `seek=${startMebibytes}`, 'conv=notrunc,sparse', 'status=none'];
        run('dd', [`if=${at('raw')}`, `of=${at('table')}`, ...copy]);
        expectTree(read(at('table')), expected);
      });
    });
  });
});

/** An image over `base` that holds what `content` (raw) has and `base` has not. */
function overlay(base: string, content: string, made: string): void {
  run('qemu-img', ['create', '-f', 'qcow2', '-b', content, '-F', 'raw', made]);
  run('qemu-img', ['rebase', '-b', base, '-F', 'qcow2', made]);
}

function logical(disk: string): string {
  const size = `${SIZE / MEBIBYTE}MiB`;
  return run(
    'sfdisk',
    ['-q', disk],
    `label: dos\nstart=1MiB,size=8MiB\nstart=16MiB,type=5\nstart=18MiB,size=${size}\n`,
  );
}

/** The only file system of an image. */
function read(path: string, more: Partial<TargetSpec> = {}): TreeState {
  const target = openTarget({ kind: 'image', name: path, path, snapshot: null, identity: identityOf(path), ...more });
  const [filesystem, ...others] = target.volumes.flatMap(volume => volume.filesystem ?? []);
  if (filesystem === undefined || others.length > 0) throw new Error(`${others.length} file systems too many`);
  const { state, faults } = stateOfFilesystem(filesystem);
  target.close();
  expect(faults).toEqual([]);
  return state;
}

function expectTree(state: TreeState, expected: TreeState): void {
  for (const [path, entry] of expected) expect([path, state.get(path)]).toEqual([path, entry]);
  expect(state.size).toBe(expected.size);
}
