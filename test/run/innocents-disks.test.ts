// Acts by the real kernel and its tools that take hold of a whole ext4 image, or need a disk on which nothing else goes on:
// scanned against the image from before them, nothing was lost.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { hasProgram, run } from '../../fixtures/incident/processes.ts';
import { blocksOf } from './content.ts';
import { accusations, worldObstacle } from './ext4-world.ts';
import { ImageWorld } from './image-world.ts';

const obstacle = worldObstacle() ?? (hasProgram('resize2fs') && hasProgram('tune2fs') ? null : 'needs e2fsprogs');
if (obstacle !== null) process.stdout.write(`skipped: whole ext4 images: ${obstacle}\n`);

/** CAP_SYS_RESOURCE, which containers often lack. */
const MAY_RESIZE = ((capabilities() >> 24n) & 1n) === 1n;
if (!MAY_RESIZE) process.stdout.write('skipped: growing a mounted ext4: needs CAP_SYS_RESOURCE\n');

const PATIENCE_MS = 60_000;
const sh = (root: string, command: string) => run('bash', ['-ec', command], { cwd: root });
/** Each processor has blocks of its own in store for small files: the same one finds the same blocks. */
const onOneProcessor = (root: string, command: string) =>
  run('taskset', ['-c', '0', 'bash', '-ec', command], { cwd: root });
/** Blocks are found when they are written, not later by somebody else. */
const AT_ONCE = ['nodelalloc'];

describe.skipIf(obstacle !== null)('on a whole disk', { timeout: PATIENCE_MS }, () => {
  let world: ImageWorld | null = null;
  afterEach(() => {
    world?.close();
    world = null;
  });
  const start = (shape: ConstructorParameters<typeof ImageWorld>[0] = {}): ImageWorld => {
    world = new ImageWorld({ sizeMib: 32, ...shape });
    return world;
  };

  /** Findings that say more than `possible`, with the image of before and without it. */
  async function falseAlarms(disk: ImageWorld): Promise<string[]> {
    const findings = await disk.scan(['t0.img']);
    return accusations(
      [
        { name: 'an image of before', findings },
        { name: 'none', findings: await disk.scan([]) },
      ],
      () => true,
    );
  }

  /** Where the file's first block lies. */
  function placeOf(disk: ImageWorld, path: string): number {
    const { output } = run('debugfs', ['-R', `blocks ${path}`, disk.disk]);
    const [, first = '0'] = /^(\d+) /m.exec(output) ?? [];
    expect(Number(first)).toBeGreaterThan(0);
    return Number(first);
  }

  const TREE =
    'mkdir -p d/e; for at in $(seq 30); do (echo file $at; seq $at $((at * 150))) > d/$at; cp d/$at d/e/copy$at; done';
  const LIFE = `${TREE}; rm d/3 d/e/copy4; mv d/5 d/e/moved; seq 77 >> d/6; truncate -s 1000 d/7; seq 5 > made; mkdir new`;

  it.each([
    ['files', TREE, 'rm -r d', '/d/20'],
    ['a file of full blocks', 'head -c 81920 /dev/zero | tr "\\0" x > f', 'rm f', '/f'],
    [
      'a database',
      'sqlite3 db "create table t(a); insert into t select value from generate_series(1, 3000)"',
      'rm db',
      '/db',
    ],
    ['a tree in another directory', 'mkdir v1; seq 5000 > v1/f; seq 6000 > v1/g', 'mv v1 v2; rm -r v2', '/v1/g'],
  ])('%s deleted before, and made again into the same blocks', async (_, make, unmake, path) => {
    const disk = start();
    disk.mounted(root => onOneProcessor(root, make), AT_ONCE);
    const place = placeOf(disk, path);
    disk.mounted(root => onOneProcessor(root, unmake), AT_ONCE);
    disk.keep('t0.img');
    disk.mounted(root => onOneProcessor(root, make), AT_ONCE);
    expect(placeOf(disk, path)).toBe(place);
    expect(await falseAlarms(disk)).toEqual([]);
  });

  it('a version deleted, and the next one with the same files made in its blocks', async () => {
    const disk = start();
    const files = (version: number) =>
      `mkdir v${version}; seq 5000 > v${version}/f; head -c 40960 /etc/services | tr a-z b > v${version}/g`;
    disk.mounted(root => onOneProcessor(root, files(1)), AT_ONCE);
    const place = placeOf(disk, '/v1/f');
    disk.keep('t0.img');
    disk.mounted(root => onOneProcessor(root, 'rm -r v1'), AT_ONCE);
    disk.mounted(root => onOneProcessor(root, files(2)), AT_ONCE);
    expect(placeOf(disk, '/v2/f')).toBe(place);
    expect(await falseAlarms(disk)).toEqual([]);
  });

  it.each([1024, 2048])('a life in blocks of %i bytes', async blockSizeBytes => {
    const disk = start({ blockSizeBytes });
    disk.mounted(root => sh(root, LIFE));
    disk.keep('t0.img');
    disk.mounted(root =>
      sh(root, `rm -r d; ${LIFE.replace('mkdir new', 'mkdir new2')}; fallocate -c -o 4096 -l 4096 d/29; cp -a d d2`),
    );
    expect(await falseAlarms(disk)).toEqual([]);
  });

  it.each(['data=journal', 'data=writeback', 'nodelalloc', 'dioread_lock'])('a life mounted with %s', async way => {
    const disk = start();
    disk.mounted(root => sh(root, LIFE), [way]);
    disk.keep('t0.img');
    disk.mounted(root => sh(root, `rm -r d; ${LIFE.replace('mkdir new', 'mkdir new2')}`), [way]);
    expect(await falseAlarms(disk)).toEqual([]);
  });

  it('a life with data in inodes', async () => {
    const disk = start();
    run('mkfs.ext4', ['-q', '-F', '-O', 'inline_data', '-I', '256', disk.disk]);
    disk.mounted(root => sh(root, `${TREE}; echo small > s; echo smaller > t; mkdir tiny; echo x > tiny/x`));
    disk.keep('t0.img');
    disk.mounted(root => sh(root, 'seq 300 >> s; truncate -s 3 t; rm tiny/x; echo y > tiny/y; rm -r d; echo z > z'));
    expect(await falseAlarms(disk)).toEqual([]);
  });

  it.skipIf(!MAY_RESIZE)('grown while it is mounted', async () => {
    const disk = start();
    disk.mounted(root => sh(root, TREE));
    disk.keep('t0.img');
    run('truncate', ['-s', '64M', disk.disk]);
    disk.mounted(root => {
      const device = run('findmnt', ['-no', 'SOURCE', root]).output.trim();
      run('resize2fs', [device]);
      sh(root, 'cp -r d d2; rm -r d');
    });
    expect(await falseAlarms(disk)).toEqual([]);
  });

  it('checked, tuned and made smaller while nobody uses it', async () => {
    const disk = start();
    disk.mounted(root => sh(root, `${TREE}; rm d/1*`));
    disk.keep('t0.img');
    run('e2fsck', ['-f', '-y', '-D', disk.disk], { accept: [1] });
    run('tune2fs', ['-L', 'label', '-c', '7', '-m', '1', disk.disk]);
    run('resize2fs', [disk.disk, '20M']);
    run('resize2fs', [disk.disk, '32M']);
    disk.mounted(root => sh(root, 'seq 99 > after'));
    expect(await falseAlarms(disk)).toEqual([]);
  });

  it('defragmented', async () => {
    const disk = start();
    disk.mounted(root =>
      sh(root, `${TREE}; for at in $(seq 40); do for f in a b c; do seq $at 700 >> $f; done; sync; done`),
    );
    disk.keep('t0.img');
    disk.mounted(root => sh(root, 'e4defrag . > /dev/null 2>&1 || true; seq 9 >> a'));
    expect(await falseAlarms(disk)).toEqual([]);
  });

  it('restored file by file to an older tree', async () => {
    const disk = start();
    const older = disk.at('older');
    disk.mounted(root => {
      sh(root, TREE);
      run('cp', ['-a', `${root}/.`, older]);
      sh(root, 'for at in $(seq 30); do seq 500 > d/$at; done; rm -r d/e; seq 9 > d/new');
    });
    disk.keep('t0.img');
    disk.mounted(root => run('rsync', ['-a', '--delete', '--exclude=lost+found', `${older}/`, `${root}/`]));
    expect(await falseAlarms(disk)).toEqual([]);
  });

  it('written in by many programs at once until it is full', async () => {
    const disk = start();
    disk.mounted(root => sh(root, TREE));
    disk.keep('t0.img');
    const work =
      'for at in $(seq 12); do cp -r d w$1-$at 2>/dev/null || rm -rf w$1-$((at - 3)); rm -f w$1-$((at - 1))/1*; done';
    disk.mounted(root => sh(root, `w() { ${work}; }; for each in 1 2 3; do w $each & done; wait; rm -rf d`));
    expect(await falseAlarms(disk)).toEqual([]);
  });

  it('packages installed, upgraded, removed and installed again', async () => {
    const disk = start();
    const packages = ['1', '2', '3'].map(version => packageOf(disk.scratch, version));
    const dpkg = (root: string, ...args: string[]) => {
      const forces = ['bad-path', 'not-root', 'confold', 'unsafe-io', 'downgrade'].map(force => `--force-${force}`);
      run('dpkg', [`--root=${root}`, `--log=${root}/var/lib/dpkg/log`, '--path-include=/*', ...forces, ...args]);
    };
    disk.mounted(root => {
      for (const name of ['info', 'updates', 'triggers', 'alternatives'])
        mkdirSync(join(root, 'var/lib/dpkg', name), { recursive: true });
      for (const name of ['status', 'available']) writeFileSync(join(root, 'var/lib/dpkg', name), '');
      for (const version of [0, 1]) dpkg(root, '-i', packages[version] ?? '');
      dpkg(root, '--purge', 'fern');
    });
    disk.keep('t0.img');
    for (const version of [0, 1, 0, 2, 1]) {
      disk.mounted(root => {
        dpkg(root, '-i', packages[version] ?? '');
        if (version === 2) dpkg(root, '--remove', 'fern');
      });
    }
    expect(await falseAlarms(disk)).toEqual([]);
  });

  it('a repository that is packed and collected', async () => {
    const disk = start();
    const commit = 'git add -A; git commit -qm x';
    disk.mounted(root =>
      sh(
        root,
        `git init -q r; cd r; git config user.email a@b; git config user.name n; ${TREE}; ${commit}; for at in 1 2 3 4; do seq $at 999 > d/$at; ${commit}; done`,
      ),
    );
    disk.keep('t0.img');
    disk.mounted(root =>
      sh(
        root,
        `cd r; git gc -q; git checkout -q HEAD~2; git checkout -q -; seq 7 > d/7; ${commit}; git repack -qad; git gc -q --prune=now; git reset -q --hard HEAD~1`,
      ),
    );
    expect(await falseAlarms(disk)).toEqual([]);
  });
});

function packageOf(scratch: string, version: string): string {
  const tree = join(scratch, `fern-${version}`);
  const files = {
    'DEBIAN/control': `Package: fern\nVersion: ${version}\nArchitecture: all\nMaintainer: N <n@example.org>\nDescription: fern\n`,
    'etc/fern.conf': `colour = ${version}\n`,
    'usr/lib/fern/constant': readFileSync('/etc/services'),
    'usr/lib/fern/blocks': blocksOf('constant', 20),
    'usr/lib/fern/code': blocksOf(`code ${version}`, 30),
    [`usr/lib/fern/only-${version}`]: blocksOf(`only ${version}`, 3),
  };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(tree, path, '..'), { recursive: true });
    writeFileSync(join(tree, path), content);
  }
  run('dpkg-deb', ['--root-owner-group', '-Znone', '-b', tree, `${tree}.deb`]);
  return `${tree}.deb`;
}

function capabilities(): bigint {
  const [, hex = '0'] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? [];
  return BigInt(`0x${hex}`);
}
