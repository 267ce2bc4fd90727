// What the journal's log still holds, beside what stands in place: on images that the kernel filled, some blocks of which are
// put back to an older day. The oracle of what was lost is the kernel's mount of the whole image, of the log debugfs.

import { closeSync, copyFileSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { openFileBytes } from '../../../src/bytes/file-bytes.ts';
import { openExt4 } from '../../../src/filesystems/ext4/ext4-filesystem.ts';
import { readJournalHistory } from '../../../src/filesystems/ext4/journal-history.ts';
import { openJournal } from '../../../src/filesystems/ext4/journal-state.ts';
import { Ext4Volume } from '../../../src/filesystems/ext4/volume.ts';
import type { LoggedState } from '../../../src/filesystems/logged-state.ts';
import { makeImage, run, scratchDirectory, whyNoMount, withMount } from './loop-mount.ts';
import { stateOfFilesystem, stateOfMount, type TreeState } from './mount-state.ts';
import { randomNumbers, randomWork } from './random-work.ts';

const reason = whyNoMount();
if (reason !== null) process.stderr.write(`logged-state.test.ts skipped: ${reason}\n`);

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const SIZE = 48 * 2 ** 20;
const ROOT_INODE = 2;
const FORMATS: readonly (readonly [name: string, format: readonly string[], mount: string])[] = [
  ['4 KiB blocks', ['-b', '4096'], 'noatime'],
  ['1 KiB blocks', ['-b', '1024'], 'noatime'],
  ['2 KiB blocks, without checksums', ['-b', '2048', '-O', '^metadata_csum'], 'noatime'],
  ['ext3', ['-t', 'ext3', '-b', '4096'], 'noatime'],
  ['data=journal', ['-b', '4096'], 'noatime,data=journal'],
  ['fast commits', ['-b', '4096', '-O', 'fast_commit'], 'noatime'],
];

describe.skipIf(reason !== null)('the log of an ext4 journal', () => {
  const scratch = scratchDirectory();
  const point = join(scratch.path, 'point');
  const disk = join(scratch.path, 'disk.img');
  const older = join(scratch.path, 'older.img');
  afterAll(() => scratch.remove());

  /** An image with a life before the copy `older`, and one after it. */
  function live(format: readonly string[], mount = 'noatime', steps = 120): void {
    const kind = format.includes('-t') ? [] : ['-t', 'ext4'];
    const journal = format.includes('-J') ? [] : ['-J', 'size=8'];
    expect(makeImage(disk, SIZE, [...kind, ...journal, ...format])).toBe(true);
    const fast = format.includes('fast_commit');
    withMount(disk, point, mount, () => randomWork(point, 1, steps, fast));
    copyFileSync(disk, older);
    withMount(disk, point, mount, () => {
      run('sh', ['-c', `cd ${point}; mkdir made; seq 9 > made/f; echo new > new; ln -s made link; sleep 0.02`]);
      randomWork(point, 2, steps, fast);
    });
  }

  function logged(): LoggedState {
    const state = openExt4(openFileBytes(disk)).logged();
    if (state === null) throw new Error('the volume has no log');
    return state;
  }

  /** Copies these blocks of `older` into the disk. */
  function putBack(blocks: readonly number[], blockSize: number): void {
    const [from, to] = [openSync(older, 'r'), openSync(disk, 'r+')];
    const bytes = new Uint8Array(blockSize);
    for (const block of blocks) {
      readSync(from, bytes, 0, blockSize, block * blockSize);
      writeSync(to, bytes, 0, blockSize, block * blockSize);
    }
    closeSync(from);
    closeSync(to);
  }

  function treeOf(image: string): TreeState {
    let state: TreeState = new Map();
    withMount(image, point, 'ro,noload', () => {
      state = stateOfMount(point);
    });
    return state;
  }

  /** Blocks of directories and inode tables that differ from the older day. */
  function changedMetadata(): { blockSize: number; blocks: number[] } {
    const filesystem = openExt4(openFileBytes(disk));
    const { blockBytes } = filesystem.blocks;
    const [then, now] = [readFileSync(older), readFileSync(disk)];
    const blocks: number[] = [];
    for (const { role, physical, length } of filesystem.blocks.owned()) {
      if (role !== 'inode-table' && role !== 'directory') continue;
      for (let block = physical; block < physical + length; block++) {
        const [from, to] = [block * blockBytes, (block + 1) * blockBytes];
        if (then.compare(now, from, to, from, to) !== 0) blocks.push(block);
      }
    }
    return { blockSize: blockBytes, blocks };
  }

  /** Inodes of these blocks of the inode table that are not as on the older day. */
  function inodesOf({ blockSize, blocks }: { blockSize: number; blocks: readonly number[] }): number[] {
    const { volume } = openExt4(openFileBytes(disk));
    const changed = new Set(blocks);
    const numbers = Array.from({ length: volume.superblock.inodesCount }, (_, index) => index + 1);
    return numbers.filter(number => changed.has(Math.floor(volume.inodeLocation(number) / blockSize)));
  }

  describe.each(FORMATS)('%s', (_name, format, mount) => {
    it('agrees with a sound disk', () => {
      live(format, mount);
      const { newest, ...state } = logged();
      expect(state).toMatchObject({ holes: 0, view: null, blocks: [], isUndisturbed: true });
      for (const number of inodesOf(changedMetadata())) expect(newest.inode(number)).toBe('in-place');
    });

    it('has the state of the day before blocks of directories and inode tables went back', () => {
      live(format, mount);
      const whole = treeOf(disk);
      const { blockSize, blocks } = changedMetadata();
      const random = randomNumbers(3);
      const lost = blocks.filter(() => random() < 0.5);
      expect(lost.length).toBeGreaterThan(2);
      putBack(lost, blockSize);
      const state = logged();
      expect(state.blocks.map(({ block }) => block)).toEqual(lost.toSorted((left, right) => left - right));
      expect(state.view === null ? null : stateOfFilesystem(state.view)).toEqual({ state: whole, faults: [] });
      expect(state.newest.names(ROOT_INODE)).toBe(true);
      expect(state.inodes.size).toBeGreaterThan(0);
      for (const number of state.inodes) expect(state.newest.inode(number)).not.toBe('in-place');
    });
  });

  it('has what went back before the disk was used again: inodes by their time, in a block that was written since', () => {
    live(['-b', '4096']);
    const inodeOf = (path: string) => Number(run('stat', ['-c', '%i', path]));
    const numbers: number[] = [];
    withMount(disk, point, 'noatime', () => {
      for (const name of ['first', 'second']) run('sh', ['-c', `seq 9 > ${point}/${name}; chmod 600 ${point}/${name}`]);
      run('sync', ['-f', point]);
      numbers.push(...['first', 'second'].map(name => inodeOf(`${point}/${name}`)));
    });
    copyFileSync(disk, older);
    withMount(disk, point, 'noatime', () => run('sh', ['-c', `sleep 0.02; chmod 640 ${point}/first ${point}/second`]));
    const [first = 0, second = 0] = numbers;
    const blocks = numbers.map(number => inodeTableBlock(number));
    expect(blocks[0]).toBe(blocks[1]);
    putBack(blocks, 4096);
    withMount(disk, point, 'noatime', () => run('sh', ['-c', `sleep 0.02; chmod 644 ${point}/second`]));
    const { view, inodes } = logged();
    expect(inodes).toEqual(new Set([first]));
    const modes = view === null ? null : stateOfFilesystem(view).state;
    expect([modes?.get('/first')?.mode, modes?.get('/second')?.mode]).toEqual([0o640, 0o644]);
    expect(second).not.toBe(first);
  });

  /** As debugfs says. */
  function inodeTableBlock(number: number): number {
    return Number(/located at block (\d+)/.exec(run('debugfs', ['-R', `imap <${number}>`, disk]))?.[1]);
  }

  it('is read as debugfs reads it', () => {
    live(['-b', '4096']);
    const volume = new Ext4Volume(openFileBytes(disk));
    const journal = openJournal(volume, null)?.journal;
    const { copies } = readJournalHistory(journal ?? expect.fail('no journal'));
    const ours = [...copies].flatMap(([block, all]) => all.map(({ logBlock }) => `${block} ${logBlock}`));
    const dump = run('debugfs', ['-R', 'logdump -O -a', disk]);
    const revoked = new Set([...dump.matchAll(/Revoke FS block (\d+)/g)].map(([, block]) => block));
    const theirs = [...dump.matchAll(/FS block (\d+) logged at journal block (\d+)/g)]
      .filter(([, block]) => !revoked.has(block))
      .map(([, block, logBlock]) => `${block} ${logBlock}`);
    expect(theirs.length).toBeGreaterThan(50);
    expect(ours.filter(copy => !revoked.has(copy.split(' ')[0])).sort()).toEqual(theirs.sort());
  });

  it('that went round tells from when on it knows, and says nothing of what it has forgotten', () => {
    live(['-b', '1024', '-J', 'size=1'], 'noatime', 900);
    const { blockSize, blocks } = changedMetadata();
    const before = logged();
    putBack(blocks, blockSize);
    const state = logged();
    expect(state.fromNs).toBe(before.fromNs);
    expect(state.blocks.length).toBeLessThan(blocks.length);
    expect(state.blocks.every(({ block }) => blocks.includes(block))).toBe(true);
  });

  describe('with a block of its own that went back', () => {
    function spoil(which: 'descriptor' | 'copy'): void {
      live(['-b', '4096']);
      const volume = new Ext4Volume(openFileBytes(disk));
      const opened = openJournal(volume, null) ?? expect.fail('no journal');
      const all = [...readJournalHistory(opened.journal).copies.values()].flat();
      const middle = all.map(({ logBlock }) => logBlock).sort((left, right) => left - right)[all.length >> 1] ?? 0;
      let block = middle;
      while (which === 'descriptor' && opened.journal.header(opened.journal.block(block)) === null) block--;
      const place = opened.placeOf(block) ?? 0;
      const file = openSync(disk, 'r+');
      writeSync(file, new Uint8Array(4096), 0, 4096, place);
      closeSync(file);
    }

    it('a descriptor: it has a hole, and a sound disk is not accused', () => {
      spoil('descriptor');
      expect(logged()).toMatchObject({ holes: 1, blocks: [], view: null, isUndisturbed: false });
    });

    it('a copy: that copy does not count', () => {
      spoil('copy');
      expect(logged()).toMatchObject({ holes: 0, blocks: [], view: null });
    });
  });

  describe('is set aside, or less sure, after', () => {
    const tools: readonly (readonly [name: string, use: () => void, then: object | null])[] = [
      ['e2fsck -fy', () => works('e2fsck', '-fy', disk), { isUndisturbed: false, view: null }],
      ['e2fsck -fyD', () => works('e2fsck', '-fyD', disk), { isUndisturbed: false }],
      ['tune2fs -U', () => [works('e2fsck', '-fy', disk), works('tune2fs', '-U', 'random', disk)], null],
      ['tune2fs -L', () => works('tune2fs', '-L', 'other', disk), { view: null }],
      ['resize2fs, smaller', () => [works('e2fsck', '-fy', disk), works('resize2fs', disk, '40M')], null],
      [
        'resize2fs, larger',
        () => [works('e2fsck', '-fy', disk), run('truncate', ['-s', '64M', disk]), works('resize2fs', disk)],
        null,
      ],
      [
        'debugfs, long after the unmount',
        () => [run('sleep', ['6.1']), works('debugfs', '-w', '-R', 'mkdir /by-hand', disk)],
        { isUndisturbed: false },
      ],
    ];

    /** Exit codes of e2fsck tell what it did. */
    function works(command: string, ...args: readonly string[]): void {
      run('sh', ['-c', '"$@" >/dev/null 2>&1 || test $? -lt 4', 'sh', command, ...args]);
    }

    it.each(tools)('%s', (_name, use, then) => {
      live(['-b', '4096']);
      // Superblocks keep whole seconds: a check in that of mke2fs does not show.
      run('sleep', ['1.1']);
      use();
      const state = openExt4(openFileBytes(disk)).logged();
      if (then === null) expect(state).toBeNull();
      else expect(state).toMatchObject(then);
    });
  });

  it('with any bytes in it is a value, in bounded time', () => {
    live(['-b', '1024', '-J', 'size=1'], 'noatime', 200);
    const runs = openJournal(new Ext4Volume(openFileBytes(disk)), null)?.runs ?? [];
    const places = runs.flatMap(({ physical, length }) =>
      Array.from({ length }, (_, index) => (physical + index) * 1024),
    );
    const random = randomNumbers(9);
    const file = openSync(disk, 'r+');
    for (let round = 0; round < 60; round++) {
      for (let flips = 0; flips < 20; flips++) {
        const place = (places[1 + Math.floor(random() * (places.length - 1))] ?? 0) + Math.floor(random() * 64);
        writeSync(file, Uint8Array.of(Math.floor(random() * 256)), 0, 1, place);
      }
      const state = openExt4(openFileBytes(disk)).logged();
      expect(state === null || state.holes >= 0).toBe(true);
      if (state?.view != null) expect(stateOfFilesystem(state.view).state.size).toBeGreaterThan(0);
    }
    closeSync(file);
  });
});
