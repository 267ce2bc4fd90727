// The walked tree, cut into segments by any budget, reads back as one sorted stream.

import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Entry, Filesystem, LostEntry } from '../../src/filesystems/filesystem.ts';
import { openHostFilesystem } from '../../src/filesystems/host/host-filesystem.ts';
import { bytesOfText, comparePaths } from '../../src/path.ts';
import { pathStream } from '../../src/run/path-stream.ts';
import { Spool, type SpoolEntry, type Subtree } from '../../src/run/spool.ts';
import type { Run } from '../../src/store/scan-runs.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { selectionOf } from '../../src/tree/selection.ts';
import { walkSubtree } from '../../src/tree/walk.ts';

let root = '';
let host: Filesystem;
let store: Store;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'lwr-spool-'));
  for (const directory of ['a', 'a-b', 'a/x/y', 'a/x-y', 'b/c/d/e/f', 'z']) {
    mkdirSync(join(root, directory), { recursive: true });
    for (const name of ['1', '2', '\n']) writeFileSync(join(root, directory, name), directory + name);
  }
  symlinkSync('a', join(root, 'link'));
  linkSync(join(root, 'z/1'), join(root, 'a/hard'));
  host = openHostFilesystem(bytesOfText(root));
  store = openStore(':memory:', 'write');
});
afterAll(() => {
  store.close();
  rmSync(root, { recursive: true });
});

let runs = 0;
function newRun(): Run {
  return store.openRun(`run ${runs++}`).run;
}

function walk(
  spool: Spool,
  subtree: Subtree,
  budget: number,
  selection = selectionOf({ include: [], exclude: [] }),
): Subtree[] {
  const start = subtree.start ?? host.root;
  const walked = walkSubtree(host, start, { budget, selection, crossMounts: false, cancelled: () => false });
  return spool.add(subtree, walked);
}

/** `find` in the order of path keys. */
function found(): string[] {
  const output = execFileSync('find', [root, '-printf', '/%P\\0'], { encoding: 'latin1' });
  return output.split('\0').slice(0, -1).sort(comparePaths);
}

function paths(entries: Iterable<SpoolEntry>): string[] {
  return [...entries].map(entry => entry.path);
}

describe('a spool', () => {
  test.each([1, 2, 3, 5, 8, 1000])('with a budget of %i entries a walk gives what find does', budget => {
    const spool = new Spool(newRun(), 0);
    const waiting = spool.pending();
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      waiting.push(...walk(spool, next, budget));
    expect(paths(spool.entries())).toEqual(found());
    expect(spool.pending()).toEqual([]);
  });

  test('that another process goes on with knows what is left to walk', () => {
    const run = newRun();
    const first = new Spool(run, 0);
    for (const subtree of first.pending()) walk(first, subtree, 1);
    for (;;) {
      const spool = new Spool(run, 0);
      const [next] = spool.pending();
      if (next === undefined) break;
      walk(spool, next, 2);
    }
    expect(paths(new Spool(run, 0).entries())).toEqual(found());
  });

  test('that was not filled says which subtrees nobody walked, and nothing is said of these', () => {
    const spool = new Spool(newRun(), 0);
    expect(paths(spool.entries())).toEqual(['/']);
    for (const subtree of spool.pending()) walk(spool, subtree, 1);
    const unwalked = [...spool.entries()].filter(entry => entry.kind === 'excluded').map(entry => entry.path);
    expect(unwalked).toEqual(['/a', '/a-b', '/b', '/z']);
    const reference = {
      info: { id: 'r', kind: 'packages', atNs: null, vouches: 'content', complete: false } as const,
      errors: [],
      expectations: () =>
        ['/a/x/gone', '/gone', '/z/gone'].map(path => ({
          reference: 'r',
          path,
          type: null,
          sizeBytes: null,
          digests: {},
          blocks: null,
          linkTarget: null,
          stat: null,
          owner: null,
          editable: false,
          installedAtNs: null,
          remedy: null,
        })),
    };
    const groups = [
      ...pathStream(spool.entries(), [reference], {
        selection: selectionOf({ include: [], exclude: [] }),
        mountPoints: new Set(),
      }),
    ];
    expect(groups.map(group => group.path)).toEqual(['/', '/gone', '/link']);
  });

  test('leaves out what is excluded', () => {
    const spool = new Spool(newRun(), 0);
    const selection = selectionOf({ include: [], exclude: ['/a', '\n'] });
    for (const subtree of spool.pending()) walk(spool, subtree, 1000, selection);
    const groups = [...pathStream(spool.entries(), [], { selection, mountPoints: new Set() })];
    const expected = found().filter(path => !path.endsWith('\n') && path !== '/a' && !path.startsWith('/a/'));
    expect(groups.map(group => group.path)).toEqual(expected);
  });

  test('keeps what is reached through a second name, also where another walk goes on below it', () => {
    const again = { ...host.root, path: '/again', viaSecondName: true };
    const lost = { path: '/again/lost', stat: null, direntType: null, viaSecondName: true } as const;
    const fault = { kind: 'unreadable', code: 'ELOOP', message: 'round' } as const;
    const below = { ...host.root, path: '/again/below', viaSecondName: true };
    const entries = new Map<string, readonly (Entry | LostEntry)[]>([
      ['/', [again, { ...host.root, path: '/home' }]],
      ['/again', [below, { ...lost, fault }]],
    ]);
    const damaged: Filesystem = {
      ...{ kind: 'ext4', root: host.root, open: host.open, readLink: host.readLink, close: host.close },
      list: ({ path, viaSecondName = false }) => {
        expect([path, viaSecondName]).toEqual([path, path.startsWith('/again')]);
        return { entries: entries.get(path) ?? [], fault: null };
      },
    };
    for (const budget of [1, 2, 100]) {
      const spool = new Spool(newRun(), 0);
      const options = { budget, selection: selectionOf({ include: [], exclude: [] }), crossMounts: false };
      for (let [next] = spool.pending(); next !== undefined; [next] = spool.pending())
        spool.add(next, walkSubtree(damaged, next.start ?? host.root, { ...options, cancelled: () => false }));
      expect([...spool.entries()].map(({ path, kind, viaSecondName }) => [path, kind, viaSecondName])).toEqual([
        ['/', 'entry', false],
        ['/again', 'entry', true],
        ['/again/below', 'entry', true],
        ['/again/lost', 'lost', true],
        ['/home', 'entry', false],
      ]);
    }
  });
});
