// The scan of an image that is killed and resumed: it reads on where it was, and reports what an unbroken scan reports.

import { closeSync, copyFileSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { blank, canMount, inodeAt, MIB, mounted, tool } from './image-fixtures.ts';
import { blobs, HAS_STRACE, SLOWLY, scanArgs, until } from './interrupted.ts';
import { Place } from './program.ts';

// The whole program runs in each test, on machines that do other things as well.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const MOUNTS = canMount();
/** 1 MiB each: 32 of them are a batch of the plan. */
const FILES = 200;
const BATCH_FILES = 32;
/** What the image's page cache reads at once. */
const PAGE_BYTES = 65_536;

let place: Place;
let image = '';
beforeAll(() => {
  place = new Place();
  if (!MOUNTS || !HAS_STRACE) return;
  image = makeImage();
  // Of the mounted tree: one of the image has a block map, and each scan against that reads the whole disk once more.
  mounted(image, 'ro,noload', point => expect(place.baseline(point, 'nightly').status).toBe(0));
  harm();
});
afterAll(() => place.remove());

const nameOf = (number: number): string => `file${String(number).padStart(3, '0')}`;

function makeImage(): string {
  const made = blank(place.at('image'), 320 * MIB);
  tool('mkfs.ext4', '-q', '-F', '-b', '4096', made);
  mounted(made, 'rw', point => {
    for (let number = 0; number < FILES; number++) {
      const content = Buffer.alloc(MIB);
      content.write(nameOf(number));
      writeFileSync(`${point}/${nameOf(number)}`, content);
    }
    // Before the others in the tree, and last in the image.
    const file = openSync(`${point}/a-fragmented`, 'w');
    for (let block = 0; block < 20; block++) writeSync(file, 'data', block * 8192);
    closeSync(file);
  });
  return made;
}

/** One content, one inode, one extent block: a finding, and two structures that are found broken, by a walk and by a read. */
function harm(): void {
  const [, extents = ''] = /\(ETB0\):(\d+)/.exec(tool('debugfs', '-R', 'stat /a-fragmented', image)) ?? [];
  const file = openSync(image, 'r+');
  writeSync(file, Uint8Array.of(0xaa), 0, 1, firstBlock(nameOf(3)) * 4096 + 100);
  writeSync(file, Uint8Array.of(0xaa), 0, 1, inodeAt(image, `/${nameOf(150)}`) + 0x7c);
  writeSync(file, Uint8Array.of(0xaa), 0, 1, Number(extents) * 4096 + 8);
  closeSync(file);
}

function firstBlock(name: string): number {
  return Number(tool('debugfs', '-R', `bmap /${name} 0`, image).trim());
}

/** A report without what differs from run to run. */
function sameOf(text: string): unknown {
  const { run, summary, ...rest } = JSON.parse(text);
  const { durationMs: _, bytesRead: __, ...counted } = summary;
  return { ...rest, complete: run.complete, summary: counted };
}

/** Numbers of the batches whose results a store has. */
function keptBatches(store: string): number[] {
  const database = new Database(store, { readonly: true });
  const rows = database.prepare("SELECT number FROM run_blob WHERE kind LIKE 'content:%'").pluck().all();
  database.close();
  return rows.map(Number);
}

/** Files of which large pieces were read, as strace saw it; smaller reads are of metadata, with what lies beside it. */
function filesRead(trace: string): Set<string> {
  const owners = new Map(Array.from({ length: FILES }, (_, number) => nameOf(number)).flatMap(blocksWithName));
  const names = new Set<string>();
  for (const [, length, at] of readFileSync(trace, 'latin1').matchAll(
    /pread64(?:\(| resumed>).*, (\d+), (\d+)\) += \d+$/gm,
  )) {
    const name = Number(length) > PAGE_BYTES ? owners.get(Number(at) / 4096) : undefined;
    if (name !== undefined) names.add(name);
  }
  return names;
}

function blocksWithName(name: string): [block: number, name: string][] {
  const blocks = tool('debugfs', '-R', `blocks /${name}`, image).trim().split(' ');
  return blocks.map(block => [Number(block), name]);
}

describe.skipIf(!MOUNTS || !HAS_STRACE)('a killed scan of an image', () => {
  let whole = '';
  const args = (store: string) => scanArgs(image, store, '--baseline', 'nightly');
  const storeCopy = (name: string): string => {
    copyFileSync(place.store, place.at(name));
    return place.at(name);
  };
  beforeAll(() => {
    whole = place.run(args(storeCopy('whole.db'))).stdout;
    const { findings, errors } = JSON.parse(whole);
    expect(findings.map(({ path, verdict }: { path: string; verdict: string }) => `${path} ${verdict}`)).toEqual([
      '/a-fragmented unreadable',
      `/${nameOf(3)} garbage`,
      `/${nameOf(150)} unreadable`,
    ]);
    expect(errors.map(({ code }: { code: string }) => code)).toEqual(['EBADMSG', 'EBADMSG']);
  });

  test('goes on with what was not read, and reports the same', async () => {
    const store = storeCopy('killed.db');
    const first = place.start(args(store), SLOWLY);
    await until(first, () => blobs(store, 'content:%') >= 2);
    first.child.kill('SIGKILL');
    expect((await first.ended).signal).toBe('SIGKILL');
    const kept = keptBatches(store);
    expect(kept.length).toBeGreaterThan(0);

    const trace = place.at('trace');
    const second = place.run(args(store), ['strace', '-f', '-s', '0', '-o', trace, '-e', 'trace=pread64']);
    expect(second.stderr).toContain('resuming a run that did not finish\n');
    expect(sameOf(second.stdout)).toEqual(sameOf(whole));
    const left = Array.from({ length: FILES }, (_, number) => number)
      .filter(number => !kept.includes(Math.floor((number > 150 ? number - 1 : number) / BATCH_FILES)))
      .filter(number => number !== 150);
    expect([...filesRead(trace)].sort()).toEqual(left.map(nameOf));
    expect(blobs(store, '%')).toBe(0);
  });

  test.each([4, 10, 30, 100])('at its read number %i: the next scan reports the same', when => {
    const store = storeCopy(`at-${when}.db`);
    const kill = ['-f', '-o', '/dev/null', '-e', 'trace=pread64', '-e', `inject=pread64:signal=SIGKILL:when=${when}`];
    expect(place.run(args(store), ['strace', ...kill]).signal).toBe('SIGKILL');
    expect(sameOf(place.run(args(store)).stdout)).toEqual(sameOf(whole));
  });
});
