// Images that were stopped with a log that holds what was not written home: replayed in memory they read as the kernel's mount
// of a copy does.

import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { openFileBytes } from '../../../src/bytes/file-bytes.ts';
import { openXfs } from '../../../src/filesystems/xfs/xfs-filesystem.ts';
import { run, scratchDirectory } from '../ext4/loop-mount.ts';
import { stateOfFilesystem } from '../ext4/mount-state.ts';
import { pattern } from '../ext4/populate.ts';
import { fsync } from '../ext4/random-work.ts';
import { compareWithMount, crash, mountedState, rawState } from './crash.ts';
import { makeXfs, whyNoXfsMount, withXfs, works } from './xfs-images.ts';

const VARIANTS: readonly (readonly [string, readonly string[], (root: string) => void])[] = [
  ['as mkfs makes it', [], busy],
  ['1 KiB blocks', ['-b', 'size=1024'], busy],
  ['rmapbt, nrext64', ['-m', 'rmapbt=1', '-i', 'nrext64=1'], busy],
  ['no finobt, reflink, bigtime, sparse inodes', ['-m', 'finobt=0,reflink=0,bigtime=0', '-i', 'sparse=0'], busy],
  ['a log unit, large directory blocks', ['-l', 'su=256k', '-n', 'size=16384'], busy],
  ['trees of extents', ['-b', 'size=1024'], fragmented],
  ['inodes freed and made anew', ['-i', 'size=1024'], churn],
];

const reason = whyNoXfsMount();
if (reason !== null) process.stderr.write(`xfs/crash.test.ts skipped: ${reason}\n`);

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

describe.skipIf(reason !== null)('an XFS image stopped at work', () => {
  const scratch = scratchDirectory();
  afterAll(() => scratch.remove());

  it.each(VARIANTS)('reads as the mount of a copy: %s', (_name, format, work) => {
    const crashed = crash(scratch.path, format, work);
    const replayed = compareWithMount(scratch.path, crashed);
    expect(replayed?.overlay.blocks.length).toBeGreaterThan(0);
    expect(rawState(crashed)).toEqual(mountedState(scratch.path, crashed, 'ro,norecovery'));
    expect(rawState(crashed)).not.toEqual(mountedState(scratch.path, crashed));
  });

  it('reads as the mount of a copy: a log that went round', () => {
    const crashed = crash(scratch.path, ['-l', 'size=6m'], root => {
      for (let index = 0; index < 3500; index++) {
        const path = `${root}/often-${index % 60}`;
        if (index % 7 === 6) rmSync(path, { force: true });
        appendFileSync(path, pattern(index, 300));
        fsync(path);
      }
      busy(root);
    });
    const replayed = compareWithMount(scratch.path, crashed);
    expect((replayed?.lastLsn ?? 0n) >> 32n).toBeGreaterThan(1n);
  });

  it('is left as it is where its log holds work that was not finished', context => {
    // Freeing many extents takes many transactions, each of which announces the next: it is stopped between two of them.
    for (let wait = 10; wait < 400; wait += 25) {
      const crashed = `${scratch.path}/unfinished.img`;
      stopWhileFreeing(scratch.path, crashed, wait);
      const source = openFileBytes(crashed);
      const filesystem = openXfs(source);
      const { state, faults } = stateOfFilesystem(filesystem);
      source.close();
      if (filesystem.notReplayed === null) continue;
      expect(run('xfs_logprint', ['-t', crashed])).toMatch(/^(EFI|RUI|CUI|BUI):/m);
      expect(filesystem.notReplayed).toContain('work that was not finished');
      expect([filesystem.isDirty, filesystem.replayed, faults]).toEqual([true, null, []]);
      expect(state).toEqual(mountedState(scratch.path, crashed, 'ro,norecovery'));
      return;
    }
    process.stderr.write('skipped: the work was never stopped between two transactions\n');
    context.skip();
  });

  it('is replayed once for all threads', () => {
    const crashed = crash(scratch.path, [], busy);
    const source = openFileBytes(crashed);
    const first = openXfs(source);
    const shared = structuredClone(first.replayed);
    expect(shared?.overlay.blocks.buffer).toBeInstanceOf(SharedArrayBuffer);
    const second = openXfs(source, shared === null ? {} : { replayed: shared });
    expect(stateOfFilesystem(second)).toEqual(stateOfFilesystem(first));
    source.close();
  });
});

/** @param wait milliseconds after which everything stops. */
function stopWhileFreeing(scratch: string, crashed: string, wait: number): void {
  const image = `${scratch}/freeing.img`;
  const point = `${scratch}/mount`;
  expect(makeXfs(image, 100 * 2 ** 20, ['-m', 'rmapbt=1', '-b', 'size=1024'])).toBe(true);
  withXfs(image, point, 'rw', () => {
    const commands = Array.from({ length: 12_000 }, (_, index) => `pwrite -q ${index * 2048} 500`);
    run('xfs_io', ['-f', `${point}/many`], commands.join('\n'));
    run('sync', ['-f', point]);
    const stop = `sleep ${wait / 1000}; xfs_io -x -c 'shutdown -f' ${point}; wait`;
    spawnSync('sh', ['-c', `truncate -s 0 ${point}/many & ${stop}`]);
    copyFileSync(image, crashed);
  });
}

/** Several checkpoints, with freed metadata among them, attributes of each kind, and files that share blocks. */
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
  for (const [name, length] of [
    ['short', 10],
    ['leaf', 900],
    ['remote', 9000],
  ] as const) {
    const value = '0x'.padEnd(2 + 2 * length, '61');
    run('setfattr', ['-n', `user.${name}`, '-v', value, `${root}/round-3/a-file-with-some-name-102`]);
  }
  works('cp', ['--reflink=always', `${root}/round-3/a-file-with-some-name-101`, `${root}/round-3/copy`]);
  symlinkSync('x'.repeat(900), `${root}/long-link`);
  linkSync(`${root}/renamed-3`, `${root}/second-name`);
  run('mknod', [`${root}/round-3/device`, 'b', '7', '9']);
  writeFileSync(`${root}/last`, 'last');
  fsync(`${root}/last`);
}

/** Enough extents for a tree, which then shrinks. */
function fragmented(root: string): void {
  const fd = openSync(`${root}/fragmented`, 'w');
  for (let index = 0; index < 600; index++) writeSync(fd, pattern(index, 500), 0, 500, index * 4096);
  closeSync(fd);
  fsync(`${root}/fragmented`);
  truncateSync(`${root}/fragmented`, 400 * 4096);
  fsync(`${root}/fragmented`);
  const again = openSync(`${root}/fragmented`, 'r+');
  for (let index = 0; index < 200; index++) writeSync(again, pattern(index, 500), 0, 500, index * 4096 + 2048);
  closeSync(again);
  fsync(`${root}/fragmented`);
}

/** Chunks of inodes that go and come back, one of them as another thing. */
function churn(root: string): void {
  for (let round = 0; round < 3; round++) {
    for (let index = 0; index < 300; index++) writeFileSync(`${root}/churn-${round}-${index}`, `${round}`);
    fsync(`${root}/churn-${round}-0`);
    for (let index = 0; index < 300; index++) unlinkSync(`${root}/churn-${round}-${index}`);
    mkdirSync(`${root}/kept-${round}`);
    writeFileSync(`${root}/kept-${round}/big`, pattern(round, 200_000));
    fsync(`${root}/kept-${round}/big`);
  }
}
