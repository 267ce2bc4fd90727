// Innocent acts that take hold of a whole tree, a whole disk or a live mapping, on a real ext4.

import { cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../fixtures/incident/processes.ts';
import type { Finding } from '../../src/model.ts';
import { nowNs } from '../../src/run/now.ts';
import { blocksOf } from './content.ts';
import { accusations, Ext4World, type Look, line, worldObstacle } from './ext4-world.ts';
import { MappedFile } from './mapped-file.ts';

const obstacle = worldObstacle();
if (obstacle !== null) process.stdout.write(`skipped: whole trees and disks on ext4: ${obstacle}\n`);

const PATIENCE_MS = 60_000;
const FILES = Array.from({ length: 30 }, (_, index) => index);
const everything = (): boolean => true;

describe.skipIf(obstacle !== null)('a whole tree, disk or mapping', { timeout: PATIENCE_MS }, () => {
  let world: Ext4World;
  beforeEach(() => {
    world = new Ext4World();
  });
  afterEach(() => world.close());

  const at = (...names: string[]) => join(world.root, ...names);

  /** Directories a, b, c of files with content of that day; every file is written anew. */
  function writeTree(day: string): void {
    for (const index of FILES) {
      const directory = at(['a', 'b', 'c'][index % 3] ?? 'a');
      mkdirSync(directory, { recursive: true });
      writeFileSync(join(directory, `f${index}`), blocksOf(`${day} ${index}`, 1 + (index % 3)));
    }
  }

  /** One more name of each kind, one fewer: what a day's work leaves. */
  function goOn(): void {
    writeTree('new');
    rmSync(at('a', 'f3'));
    writeFileSync(at('a', 'made'), 'made\n');
    mkdirSync(at('b', 'made'));
  }

  async function lookWith(t0: bigint, t1: bigint): Promise<Look[]> {
    const chosen = [
      ['a generation before the window', 'before', { fromNs: t0, toNs: nowNs() }],
      ['a generation before the window and one after it', 'both', { fromNs: t0, toNs: t1 }],
      ['two generations, both before the window’s end', 'both', { fromNs: t0, toNs: nowNs() }],
      ['two generations and no window', 'both', null],
    ] as const;
    const looks: Look[] = [];
    for (const [name, series, window] of chosen) looks.push({ name, findings: await world.scan(series, window) });
    return looks;
  }

  it('restored file by file from a copy of the older day is altered or worth a look, no more', async () => {
    writeTree('old');
    cpSync(world.root, join(world.scratch, 'copy'), { recursive: true, preserveTimestamps: true });
    const t0 = await world.capture('before', 'both');
    goOn();
    const t1 = await world.capture('both');
    run('rsync', ['-a', '--delete', '--modify-window=-1', `${join(world.scratch, 'copy')}/`, `${world.root}/`]);
    const looks = await lookWith(t0, t1);
    expect(accusations(looks, everything)).toEqual([]);
    expect(looks[1]?.findings.filter(({ verdict }) => verdict === 'altered').length).toBe(FILES.length - 1);
  });

  it('the whole disk restored from an image of the older day is altered, not lost', async () => {
    writeTree('old');
    const t0 = await world.capture('before', 'both');
    world.saveDisk('t0.img');
    goOn();
    const t1 = await world.capture('both');
    world.restoreDisk('t0.img');
    expect(accusations(await lookWith(t0, t1), everything)).toEqual([]);
  });

  // The kernel may clean the page meanwhile, and stamps the next store then: another try.
  it('a shared mapping that stores on unstamped after the capture is worth a look, no more', { retry: 2 }, async () => {
    writeFileSync(at('f'), blocksOf('mapped', 4));
    const mapped = new MappedFile(at('f'), world.scratch);
    mapped.store(100, 'first');
    const stamped = statSync(at('f'), { bigint: true }).ctimeNs;
    const t1 = await world.capture('after');
    const captured = readFileSync(at('f'));
    mapped.store(100, 'later');
    const looks: Look[] = [
      { name: 'after', findings: await world.scan('after', { fromNs: null, toNs: t1 }) },
      { name: 'no window', findings: await world.scan('after', null) },
    ];
    await mapped.close();
    expect(statSync(at('f'), { bigint: true }).ctimeNs).toBe(stamped);
    expect(readFileSync(at('f')).equals(captured)).toBe(false);
    expect(accusations(looks, everything)).toEqual([]);
    expect(looks[0]?.findings.map(line)).toEqual([
      '/f: garbage, possible (changed-under-unchanged-inode, changed-under-unchanged-mtime, differs-from-baseline)',
    ]);
  });

  it('packages upgraded, configured, edited by their own scripts and taken back are at most altered', async () => {
    const packages = ['1', '2', '3'].map(version => buildPackage(world.scratch, version));
    for (const name of ['info', 'updates', 'triggers', 'alternatives']) {
      mkdirSync(at('var/lib/dpkg', name), { recursive: true });
    }
    for (const name of ['status', 'available']) writeFileSync(at('var/lib/dpkg', name), '');
    install(world.root, packages[0] ?? '');
    writeFileSync(at('etc/fern.conf'), 'colour = mine\n');
    const t0 = await world.capture('before', 'both');
    install(world.root, packages[1] ?? '');
    const t1 = await world.capture('both');
    for (const version of [2, 0, 1]) install(world.root, packages[version] ?? '');
    const looks = await lookWith(t0, t1);
    const isEditedByScript = ({ path, verdict }: Finding) => path === '/usr/lib/fern/cache' && verdict === 'altered';
    expect(accusations(looks, finding => !isEditedByScript(finding))).toEqual([]);
    expect(looks.map(({ findings }) => findings.filter(isEditedByScript).length)).toEqual([1, 1, 1, 1]);
  });
});

function buildPackage(scratch: string, version: string): string {
  const tree = join(scratch, `fern-${version}`);
  const files = {
    'DEBIAN/control': `Package: fern\nVersion: ${version}\nArchitecture: all\nMaintainer: N <n@example.org>\nDescription: fern\n`,
    'DEBIAN/conffiles': '/etc/fern.conf\n',
    'DEBIAN/postinst': '#!/bin/sh\necho configured >> "$DPKG_ROOT/usr/lib/fern/cache"\n',
    'etc/fern.conf': `colour = ${version}\n`,
    'usr/lib/fern/cache': `empty ${version}\n`,
    'usr/lib/fern/constant': 'always the same\n',
    'usr/lib/fern/code': blocksOf(`code ${version}`, 3),
    'usr/bin/fern': `#!/bin/sh\necho ${version}\n`,
    [`usr/lib/fern/only-${version}`]: 'in this version\n',
  };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(tree, path, '..'), { recursive: true });
    writeFileSync(join(tree, path), content);
  }
  const sums =
    'cd "$0"; find usr -type f -print0 | sort -z | xargs -0 md5sum > DEBIAN/md5sums; chmod 755 DEBIAN/postinst';
  run('bash', ['-ec', sums, tree]);
  run('dpkg-deb', ['--root-owner-group', '-Znone', '-b', tree, `${tree}.deb`]);
  return `${tree}.deb`;
}

function install(root: string, file: string): void {
  const forces = ['bad-path', 'not-root', 'confold', 'unsafe-io', 'script-chrootless', 'downgrade'];
  const places = [`--root=${root}`, `--log=${root}/var/lib/dpkg/log`, '--path-include=/*'];
  run('dpkg', [...places, ...forces.map(force => `--force-${force}`), '-i', file]);
}
