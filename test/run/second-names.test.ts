// A directory under a name that is not its own: a real ext4 on which a file's number was used again by a directory, and the
// block that still names the file came back. Scanned whole, against the image of before, and against nothing.

import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../fixtures/incident/processes.ts';
import type { Finding } from '../../src/model.ts';
import { nowNs } from '../../src/run/now.ts';
import { createBaseline, identityOf } from '../../src/run.ts';
import { openStore } from '../../src/store/store.ts';
import { blocksOf } from './content.ts';
import { worldObstacle } from './ext4-world.ts';
import { ImageWorld } from './image-world.ts';

const obstacle = worldObstacle();
if (obstacle !== null) process.stderr.write(`skipped: second names of ext4 images: ${obstacle}\n`);

const PATIENCE_MS = 120_000;
const BLOCK_BYTES = 4096;
const NEITHER = { onProgress: () => undefined, onNotice: () => undefined, signal: new AbortController().signal };

describe.skipIf(obstacle !== null)('a name of old that leads to a new directory', { timeout: PATIENCE_MS }, () => {
  let world: ImageWorld;
  let t0 = 0n;
  /** Of the name of old. */
  let number = 0;
  beforeEach(() => {
    world = new ImageWorld();
    world.mounted(root => {
      for (const name of ['old', 'zz']) mkdirSync(join(root, name));
      for (const name of ['conf', 'kept']) writeFileSync(join(root, 'old', name), blocksOf(name, 2));
      number = statSync(join(root, 'old/conf')).ino;
    });
    world.keep('t0.img');
    t0 = nowNs();
    world.mounted(root => {
      rmSync(join(root, 'old/conf'));
      mkdirSync(join(root, 'zz/directory/inner'), { recursive: true });
      expect(statSync(join(root, 'zz/directory')).ino).toBe(number);
      writeFileSync(join(root, 'zz/directory/child'), blocksOf('child', 3));
      writeFileSync(join(root, 'zz/directory/inner/deep'), blocksOf('deep', 1));
      writeFileSync(join(root, 'old/conf'), blocksOf('new', 2));
    });
    putBack('/old');
  });
  afterEach(() => world.close());

  /** The first block of a directory, as it was. */
  function putBack(path: string): void {
    const block = Number(
      run('debugfs', ['-R', `blocks ${path}`, world.disk])
        .output.trim()
        .split(' ')[0],
    );
    const bytes = Buffer.alloc(BLOCK_BYTES);
    const from = openSync(world.at('t0.img'), 'r');
    const to = openSync(world.disk, 'r+');
    readSync(from, bytes, 0, BLOCK_BYTES, block * BLOCK_BYTES);
    writeSync(to, bytes, 0, BLOCK_BYTES, block * BLOCK_BYTES);
    for (const file of [from, to]) closeSync(file);
  }

  /** Findings of what the name shows: path, verdict, confidence, cause. */
  function shown(findings: readonly Finding[]): unknown[] {
    return findings
      .filter(({ path }) => path.startsWith('/old/conf'))
      .map(({ path, verdict, confidence, causePath }) => [path, verdict, confidence, causePath]);
  }

  const window = () => ({ fromNs: t0, toNs: nowNs() });

  it('is listed by the kernel under both names', () => {
    const names = run('debugfs', ['-R', 'ls -p /old/conf', world.disk]).output;
    expect(names).toContain('/child/');
    world.mounted(
      root => {
        expect(statSync(join(root, 'old/conf')).ino).toBe(number);
        const [one, other] = ['old/conf/child', 'zz/directory/child'].map(path => readFileSync(join(root, path)));
        expect(one?.equals(other ?? Buffer.alloc(0))).toBe(true);
      },
      ['ro', 'noload'],
    );
  });

  it('is garbage where a file was, and what it shows is back, because of it', async () => {
    run('tune2fs', ['-O', '^has_journal', world.disk]);
    const findings = await world.scan(['t0.img'], window());
    expect(shown(findings)).toEqual([
      ['/old/conf', 'garbage', 'likely', null],
      ['/old/conf/child', 'resurrected', 'likely', '/old/conf'],
      ['/old/conf/inner', 'resurrected', 'likely', '/old/conf'],
      ['/old/conf/inner/deep', 'resurrected', 'likely', '/old/conf/inner'],
    ]);
    const [name] = findings.filter(({ path }) => path === '/old/conf');
    expect(name?.evidence[0]?.detail).toContain(`inode ${number}, which has its home at /zz/directory;`);
    const others = findings.filter(
      ({ path, confidence }) => !path.startsWith('/old/conf') && confidence !== 'possible',
    );
    expect(others).toEqual([]);
  });

  it('is known by the log for what it is', async () => {
    const findings = await world.scan(['t0.img'], window());
    expect(shown(findings)).toEqual([
      ['/old/conf', 'garbage', 'proven', null],
      ['/old/conf/child', 'resurrected', 'proven', '/old/conf'],
      ['/old/conf/inner', 'resurrected', 'proven', '/old/conf'],
      ['/old/conf/inner/deep', 'resurrected', 'proven', '/old/conf/inner'],
    ]);
  });

  it('is back where no image tells what was there', async () => {
    run('tune2fs', ['-O', '^has_journal', world.disk]);
    const verdicts = (await world.scan([], window()))
      .filter(({ confidence }) => confidence !== 'possible')
      .map(({ path, verdict }) => [path, verdict]);
    expect(verdicts).toEqual([
      ['/old/conf', 'resurrected'],
      ['/old/conf/child', 'resurrected'],
      ['/old/conf/inner', 'resurrected'],
      ['/old/conf/inner/deep', 'resurrected'],
    ]);
  });

  it('stays out of a baseline, with what it shows; both are kept at home', async () => {
    const store = openStore(':memory:', 'write');
    const path = world.disk;
    const target = { kind: 'image', name: path, path, snapshot: null, identity: identityOf(path) } as const;
    const asked = { target, name: 'b', atNs: null, include: [], exclude: [], crossMounts: false, jobs: 1 };
    const result = await createBaseline({ ...asked, store: { path: null } }, NEITHER, store);
    const [generation] = store.generations('b');
    const kept = generation === undefined ? [] : [...store.records(generation.id)];
    store.close();
    expect(kept.map(record => record.path)).toEqual([
      '/',
      '/lost+found',
      '/old',
      '/old/kept',
      '/zz',
      '/zz/directory',
      '/zz/directory/child',
      '/zz/directory/inner',
      '/zz/directory/inner/deep',
    ]);
    expect(kept.every(({ unread }) => unread === null)).toBe(true);
    expect([result.complete, result.skipped]).toEqual([false, 1]);
  });
});
