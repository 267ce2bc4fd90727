// Images copied while mounted and busy: with the journal replayed in memory they read as the kernel's mount of a copy does.

import {
  appendFileSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { openFileBytes } from '../../../src/bytes/file-bytes.ts';
import { openExt4 } from '../../../src/filesystems/ext4/ext4-filesystem.ts';
import { compareWithMount, crash, mountedState, rawState } from './crash.ts';
import { makeImage, run, scratchDirectory, whyNoMount } from './loop-mount.ts';
import { stateOfFilesystem, stateOfMount } from './mount-state.ts';
import { pattern } from './populate.ts';
import { fsync } from './random-work.ts';

interface Variant {
  readonly name: string;
  readonly format: readonly string[];
  readonly mount: string;
  /** Runs on the mounted file system; the image is copied when it returns. */
  readonly work: (root: string) => void;
}

const EXT4_1K = ['-t', 'ext4', '-b', '1024'];

const FAST = ['-t', 'ext4', '-O', 'fast_commit'];

const VARIANTS: readonly Variant[] = [
  { name: 'ext4', format: ['-t', 'ext4'], mount: 'commit=600', work: busy },
  { name: 'ext4, 1 KiB blocks', format: EXT4_1K, mount: 'commit=600', work: busy },
  { name: 'ext3', format: ['-t', 'ext3', '-b', '1024'], mount: 'commit=600', work: busy },
  { name: 'no 64bit', format: ['-t', 'ext4', '-O', '^64bit'], mount: 'commit=600', work: busy },
  { name: 'data=journal', format: EXT4_1K, mount: 'commit=600,data=journal', work: busy },
  {
    name: 'transaction checksums',
    format: ['-t', 'ext4', '-O', '^metadata_csum'],
    mount: 'commit=600,journal_checksum',
    work: busy,
  },
  {
    name: 'asynchronous commits',
    format: ['-t', 'ext4', '-O', '^metadata_csum'],
    mount: 'commit=600,data=writeback,journal_async_commit',
    work: busy,
  },
  {
    name: 'asynchronous commits, blocks summed',
    format: ['-t', 'ext4'],
    mount: 'commit=600,data=writeback,journal_async_commit',
    work: busy,
  },
  { name: 'magic in journaled data', format: ['-t', 'ext4'], mount: 'commit=600,data=journal', work: magicWords },
  { name: 'inline data', format: ['-t', 'ext4', '-O', 'inline_data'], mount: 'commit=600', work: busy },
  { name: 'fast commits', format: FAST, mount: 'commit=600', work: fastCommits },
  { name: 'fast commits, 1 KiB blocks', format: [...FAST, '-b', '1024'], mount: 'commit=600', work: fastCommits },
  { name: 'fast commits, inline data', format: [...FAST, '-O', 'inline_data'], mount: 'commit=600', work: fastCommits },
];

const reason = whyNoMount();
if (reason !== null) process.stderr.write(`crash.test.ts skipped: ${reason}\n`);

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

describe.skipIf(reason !== null)('an image copied while mounted', () => {
  const scratch = scratchDirectory();
  afterAll(() => scratch.remove());

  it.each(VARIANTS)('reads as the mount of a copy: $name', ({ format, mount, work }) => {
    const crashed = crash(scratch.path, format, mount, work);
    const replayed = compareWithMount(scratch.path, crashed, work === fastCommits);
    expect((replayed?.fastCommits ?? 0) > 0).toBe(work === fastCommits);
    expect(replayed?.overlay.blocks.length).toBeGreaterThan(0);
    expect(rawState(crashed)).not.toEqual(mountedState(scratch.path, crashed));
  });

  it('is replayed once for all threads', () => {
    const crashed = crash(scratch.path, [...FAST, '-b', '1024'], 'commit=600', fastCommits);
    const source = openFileBytes(crashed);
    const first = openExt4(source);
    const shared = structuredClone(first.replayed);
    expect(shared?.overlay.blocks.buffer).toBeInstanceOf(SharedArrayBuffer);
    const second = openExt4(source, shared === null ? {} : { replayed: shared });
    expect(stateOfFilesystem(second)).toEqual(stateOfFilesystem(first));
    source.close();
  });

  it('reads with its journal on another device', () => {
    const image = `${scratch.path}/image`;
    const log = `${scratch.path}/log`;
    const devices: string[] = [];
    const attach = (file: string) => {
      const device = run('losetup', ['-f', '--show', file]).trim();
      devices.push(device);
      return device;
    };
    try {
      makeImage(log, 8 * 2 ** 20, ['-b', '1024', '-O', 'journal_dev']);
      const logDevice = attach(log);
      makeImage(image, 32 * 2 ** 20, ['-t', 'ext4', '-b', '1024', '-J', `device=${logDevice}`]);
      const device = attach(image);
      const point = `${scratch.path}/mount`;
      run('mount', ['-o', 'commit=600', device, point]);
      busy(point);
      copyFileSync(image, `${image}.copy`);
      copyFileSync(log, `${log}.copy`);
      run('umount', [point]);
      copyFileSync(`${image}.copy`, image);
      copyFileSync(`${log}.copy`, log);
      for (const used of devices.splice(0)) run('losetup', ['-d', used]);
      const again = attach(log);
      run('mount', ['-o', `noatime,journal_path=${again}`, attach(image), point]);
      const expected = stateOfMount(point);
      run('umount', [point]);
      const source = openFileBytes(`${image}.copy`);
      const external = openFileBytes(`${log}.copy`);
      const without = openExt4(source);
      expect(without.notReplayed).toContain('another device');
      const { state, faults } = stateOfFilesystem(openExt4(source, { externalJournal: external }));
      expect(faults).toEqual([]);
      expect(state).toEqual(expected);
      expect(stateOfFilesystem(without).state).not.toEqual(expected);
      source.close();
      external.close();
    } finally {
      for (const device of devices) run('losetup', ['-d', device]);
    }
  });
});

/** Several transactions, with freed metadata among them, and changes behind the last that no transaction holds. */
function busy(root: string): void {
  for (let round = 0; round < 4; round++) {
    mkdirSync(`${root}/round-${round}`);
    for (let index = 0; index < 120; index++) {
      writeFileSync(`${root}/round-${round}/a-file-with-some-name-${index}`, pattern(index, index * 40));
    }
    if (round > 0) rmSync(`${root}/round-${round - 1}`, { recursive: true });
    fsync(`${root}/round-${round}/a-file-with-some-name-7`);
  }
  for (let index = 0; index < 50; index++)
    renameSync(`${root}/round-3/a-file-with-some-name-${index}`, `${root}/renamed-${index}`);
  truncateSync(`${root}/round-3/a-file-with-some-name-100`, 10);
  appendFileSync(`${root}/round-3/a-file-with-some-name-101`, pattern(1, 50_000));
  symlinkSync('x'.repeat(300), `${root}/long-link`);
  linkSync(`${root}/renamed-3`, `${root}/second-name`);
  fsync(`${root}/round-3/a-file-with-some-name-101`);
  writeFileSync(`${root}/never-committed`, 'gone');
}

/** One full commit, then changes that fsync makes fast. */
function fastCommits(root: string): void {
  mkdirSync(`${root}/dir`);
  for (let index = 0; index < 40; index++) writeFileSync(`${root}/dir/file-${index}`, pattern(index, index * 300));
  fsync(`${root}/dir/file-7`);
  for (let index = 0; index < 20; index++) {
    writeFileSync(`${root}/dir/new-${index}`, pattern(index, 5000));
    fsync(`${root}/dir/new-${index}`);
  }
  renameSync(`${root}/dir/file-1`, `${root}/renamed`);
  fsync(`${root}/renamed`);
  linkSync(`${root}/dir/file-2`, `${root}/second`);
  fsync(`${root}/second`);
  rmSync(`${root}/dir/file-3`);
  appendFileSync(`${root}/dir/file-4`, pattern(77, 20_000));
  fsync(`${root}/dir/file-4`);
  truncateSync(`${root}/dir/file-39`, 100);
  fsync(`${root}/dir/file-39`);
  writeFileSync(`${root}/dir/file-6`, pattern(6, 3));
  fsync(`${root}/dir/file-6`);
  mkdirSync(`${root}/fresh`);
  writeFileSync(`${root}/fresh/inside`, 'inside');
  fsync(`${root}/fresh/inside`);
  writeFileSync(`${root}/last`, 'last');
  fsync(`${root}/last`);
  writeFileSync(`${root}/never-committed`, 'gone');
}

function magicWords(root: string): void {
  const block = Buffer.alloc(4096, 7);
  block.writeUInt32BE(0xc03b3998, 0);
  writeFileSync(`${root}/magic`, Buffer.concat([block, block, pattern(3, 4096), block]));
  fsync(`${root}/magic`);
}
