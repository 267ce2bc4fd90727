import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hasProgram } from '../../fixtures/incident/processes.ts';
import { type PlaceRequest, settlePlaces, storePlace } from '../../src/cli/places.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { type LocatedTarget, locateTarget } from '../../src/cli/target.ts';
import { testWorld } from './test-world.ts';

const canMount = process.getuid?.() === 0 && ['mount', 'mkfs.ext4', 'findmnt'].every(hasProgram);
if (!canMount) process.stderr.write('places: tests with mounts are skipped: they need root, mkfs.ext4 and findmnt\n');

let here = '';
beforeEach(() => {
  here = mkdtempSync(join(tmpdir(), 'lwr-places-'));
});
afterEach(() => rmSync(here, { recursive: true }));

const targetOf = (text: string): LocatedTarget => locateTarget({ text, cwd: '/', name: null, hostName: 'db7' });

const settle = (overrides: Partial<PlaceRequest> & { target: LocatedTarget }) => {
  const said: string[] = [];
  const store = settlePlaces({
    crossMounts: false,
    force: false,
    store: { path: '/proc/none/store.db', named: false },
    storeNeeded: false,
    report: null,
    say: line => said.push(line),
    ...overrides,
  });
  return { ...store, said };
};

describe('the store', () => {
  const placeOf = (argv: Record<string, string>, env: Record<string, string>) =>
    storePlace(readSettings(argv, null), testWorld({}, { env, cwd: '/current' }));

  test('is where --store says, else the environment, else the state directory', () => {
    expect(placeOf({ store: 's.db' }, { LOSTWRITE_STORE: '/env.db' })).toEqual({ path: '/current/s.db', named: true });
    expect(placeOf({}, { LOSTWRITE_STORE: '/env.db', XDG_STATE_HOME: '/x' })).toEqual({
      path: '/env.db',
      named: false,
    });
    expect(placeOf({}, { XDG_STATE_HOME: '/x' })).toEqual({ path: '/x/lostwrite/store.db', named: false });
    expect(placeOf({}, { XDG_STATE_HOME: '' })).toEqual({
      path: '/nowhere/home/.local/state/lostwrite/store.db',
      named: false,
    });
  });

  test('elsewhere is used as it is', () => {
    expect(settle({ target: targetOf(here) })).toEqual({ path: '/proc/none/store.db', said: [] });
  });

  test('on the scanned file system, and nobody named or needs it, is kept in memory, and that is said', () => {
    expect(settle({ target: targetOf(here), store: { path: join(here, 'deep/er/s.db'), named: false } })).toEqual({
      path: null,
      said: ['The store would lie on the scanned file system: it is kept in memory, and a stopped scan cannot resume.'],
    });
  });

  test('on the scanned file system is refused when it was named or is needed, unless --force', () => {
    const path = join(here, 's.db');
    const target = targetOf(here);
    const message = `the store ${path} would lie on the scanned file system: name another place with --store, or insist with --force`;
    expect(() => settle({ target, store: { path, named: true } })).toThrow(message);
    expect(() => settle({ target, store: { path, named: false }, storeNeeded: true })).toThrow(message);
    expect(settle({ target, store: { path, named: true }, force: true }).path).toBe(path);
  });

  test('beside the scanned directory on its file system is refused too', () => {
    mkdirSync(join(here, 'scanned'));
    const store = { path: join(here, 's.db'), named: true };
    expect(() => settle({ target: targetOf(join(here, 'scanned')), store })).toThrow(
      /would lie on the scanned file system/,
    );
  });
});

describe('the report', () => {
  test('on the scanned file system is refused, unless --force', () => {
    const report = join(here, 'r.json');
    expect(() => settle({ target: targetOf(here), report })).toThrow(
      `the report ${report} would lie on the scanned file system: name another place with --json, or insist with --force`,
    );
    expect(settle({ target: targetOf(here), report, force: true }).path).toBe('/proc/none/store.db');
  });

  test('never overwrites an image that is scanned, not even with --force or through a link', () => {
    const image = join(here, 'disk.img');
    writeFileSync(image, 'x');
    symlinkSync(image, join(here, 'link'));
    const target = targetOf(image);
    for (const force of [true, false]) {
      expect(() => settle({ target, report: image, force })).toThrow(
        `${image} is the target: nothing is ever written to it`,
      );
      expect(() => settle({ target, report: join(here, 'link'), force })).toThrow(/is the target/);
      expect(() => settle({ target, store: { path: image, named: true }, force })).toThrow(/is the target/);
    }
  });

  test('may lie beside an image: its file system is another', () => {
    const image = join(here, 'disk.img');
    writeFileSync(image, 'x');
    expect(settle({ target: targetOf(image), report: join(here, 'r.json') }).path).toBe('/proc/none/store.db');
  });
});

describe.skipIf(!canMount)('with mounts', () => {
  const mounted: string[] = [];
  const mount = (...args: string[]): void => {
    execFileSync('mount', args);
    mounted.push(args.at(-1) ?? '');
  };
  afterEach(() => {
    for (const directory of mounted.splice(0).reverse()) execFileSync('umount', [directory]);
  });

  test('another file system below the target is no part of it, until --cross-mounts', () => {
    const below = join(here, 'below');
    mkdirSync(below);
    mount('-t', 'tmpfs', 'tmpfs', below);
    const request = { target: targetOf(here), report: join(below, 'r.json') };
    expect(settle(request).path).toBe('/proc/none/store.db');
    expect(() => settle({ ...request, crossMounts: true })).toThrow(/would lie on the scanned file system/);
  });

  test('a scanned block device counts as the file system that is mounted from it', () => {
    const image = join(here, 'disk.img');
    execFileSync('truncate', ['-s', '8M', image]);
    execFileSync('mkfs.ext4', ['-q', '-F', image]);
    const mountpoint = join(here, 'mnt');
    mkdirSync(mountpoint);
    mount('-o', 'loop', image, mountpoint);
    const device = execFileSync('findmnt', ['-n', '-o', 'SOURCE', mountpoint], { encoding: 'utf8' }).trim();
    expect(statSync(device).isBlockDevice()).toBe(true);
    const target = targetOf(device);
    expect(() => settle({ target, report: join(mountpoint, 'r.json') })).toThrow(
      /would lie on the scanned file system/,
    );
    expect(settle({ target, report: join(here, 'r.json') }).path).toBe('/proc/none/store.db');
  });
});
