// What a clean log still tells of a disk that lost writes: the state before, as the kernel showed it.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Incident, incidentObstacle, makeIncident } from '../../../fixtures/incident/incident.ts';
import type { Mode } from '../../../fixtures/incident/losses.ts';
import { openFileBytes } from '../../../src/bytes/file-bytes.ts';
import type { Entry, Filesystem } from '../../../src/filesystems/filesystem.ts';
import { openXfs, type XfsFilesystem } from '../../../src/filesystems/xfs/xfs-filesystem.ts';
import { whyNoXfsMount } from './xfs-images.ts';

const obstacle = incidentObstacle('xfs') ?? whyNoXfsMount();
if (obstacle !== null) process.stdout.write(`skipped: the log of damaged XFS images: ${obstacle}\n`);

const PATIENCE_MS = 240_000;

describe.skipIf(obstacle !== null)('the log of an XFS image', { timeout: PATIENCE_MS }, () => {
  let scratch = '';
  const opened: XfsFilesystem[] = [];

  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), 'lostwrite-xfs-log-'));
  });

  afterAll(() => {
    for (const filesystem of opened) filesystem.close();
    rmSync(scratch, { recursive: true });
  });

  function made(mode: Mode, repair = false): Promise<Incident> {
    return makeIncident({ seed: 5, mode, filesystem: 'xfs', repair, out: join(scratch, `${mode}-${repair}`) });
  }

  function open(image: string): XfsFilesystem {
    const filesystem = openXfs(openFileBytes(image));
    opened.push(filesystem);
    return filesystem;
  }

  /** `path inode size mode ctime` of everything, as the kernel's mount has it. */
  function byKernel(image: string): string[] {
    const point = mkdtempSync(join(scratch, 'mount-'));
    execFileSync('mount', ['-t', 'xfs', '-o', 'loop,ro,norecovery,nouuid', image, point]);
    try {
      const found = execFileSync('find', [point, '-printf', '/%P %i %s %m %C@\\0'], { encoding: 'latin1' });
      return found.split('\0').slice(0, -1).sort();
    } finally {
      execFileSync('umount', [point]);
    }
  }

  function byUs(filesystem: Filesystem): string[] {
    return [...everything(filesystem, filesystem.root)].map(lineOf).sort();
  }

  function* everything(filesystem: Filesystem, entry: Entry): Iterable<Entry> {
    yield entry;
    if (entry.stat.type !== 'directory') return;
    for (const child of filesystem.list(entry).entries) {
      if (child.stat === null) throw new Error(`${child.path} leads nowhere`);
      yield* everything(filesystem, child);
    }
  }

  /** What has an inode that is not as it was, or was not. */
  function changedSince(older: XfsFilesystem, newer: XfsFilesystem): Entry[] {
    const then = new Map([...everything(older, older.root)].map(({ stat }) => [stat.inode, stat.ctimeNs]));
    return [...everything(newer, newer.root)].filter(({ stat }) => then.get(stat.inode) !== stat.ctimeNs);
  }

  function lineOf({ path, stat }: Entry): string {
    const { inode, sizeBytes, mode, ctimeNs } = stat;
    const fraction = String(ctimeNs % 1_000_000_000n).padStart(9, '0');
    return `${path} ${inode} ${sizeBytes} ${mode.toString(8)} ${ctimeNs / 1_000_000_000n}.${fraction}0`;
  }

  it('tells nothing new of a sound disk', async () => {
    const { images } = await made('none');
    for (const image of [images.t0, images.t1]) {
      expect(open(image).logged()).toMatchObject({ view: null, blocks: [], isUndisturbed: true, holes: 0 });
    }
    const filesystem = open(images.t1);
    const newest = filesystem.logged()?.newest;
    const changed = changedSince(open(images.t0), filesystem);
    expect(changed.length).toBeGreaterThan(20);
    for (const { stat } of changed) {
      expect(newest?.inode(Number(stat.inode))).toBe('in-place');
      if (stat.type === 'directory') expect(newest?.names(Number(stat.inode))).toBe(true);
    }
  });

  it('has every name and inode that was lost', async () => {
    const { images, truth } = await made('mixed');
    const logged = open(images.disk).logged();
    expect(logged?.view === null ? null : byUs(logged?.view as Filesystem)).toEqual(byKernel(images.t1));
    const lost = truth.lostBlocks.filter(({ role }) => role === 'directory').map(({ block }) => block);
    const told = logged?.blocks.filter(({ role }) => role === 'directory').map(({ block }) => block);
    expect(lost.filter(block => !told?.includes(block))).toEqual([]);
    expect(lost.length).toBeGreaterThan(0);
    expect(logged?.inodes.size).toBeGreaterThan(0);
    for (const number of logged?.inodes ?? []) expect(logged?.newest.inode(number)).not.toBe('in-place');
  });

  it('has them still after xfs_repair, and shows that something of the kind was there', async () => {
    const { images } = await made('inodes', true);
    const logged = open(images.disk).logged();
    expect(logged?.view === null ? null : byUs(logged?.view as Filesystem)).toEqual(byKernel(images.t1));
    expect(logged?.isUndisturbed).toBe(false);
  });

  it('says nothing once xfs_repair has emptied it', async () => {
    const { images } = await made('data');
    const copy = join(scratch, 'emptied.img');
    execFileSync('cp', ['--sparse=always', images.disk, copy]);
    expect(open(copy).logged()?.toNs).toBeGreaterThan(0n);
    execFileSync('xfs_repair', ['-L', copy], { stdio: 'ignore' });
    expect(open(copy).logged()).toBeNull();
  });

  it('is not asked while it is not written home', async () => {
    const { images } = await made('data');
    const point = join(scratch, 'busy');
    const copy = join(scratch, 'busy.img');
    mkdirSync(point);
    execFileSync('mount', ['-t', 'xfs', '-o', 'loop,nouuid', images.t1, point]);
    try {
      execFileSync('sh', [
        '-c',
        `echo new > ${point}/new && sync ${point}/new && cp --sparse=always ${images.t1} ${copy}`,
      ]);
    } finally {
      execFileSync('umount', [point]);
    }
    expect(open(copy).logged()).toBeNull();
  });
});
