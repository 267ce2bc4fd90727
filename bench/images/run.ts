// The images bench: a tree in an ext4 image, listed and read by us, against the same tree mounted and against the Sleuth Kit.
// `node dist/bench/images/run.js --tree DIR [--rounds N] [--size SIZE] [--place DIR]`; needs root, mke2fs and sleuthkit.
// Caches are warm: what is compared is work, not the disk.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { print, resultTable, surroundings } from '../table.ts';
import { type Contestant, compete } from '../timed.ts';

const { values } = parseArgs({
  options: {
    tree: { type: 'string', default: '/usr' },
    size: { type: 'string', default: '1G' },
    rounds: { type: 'string', default: '3' },
    place: { type: 'string', default: tmpdir() },
  },
});

const PROGRAM = fileURLToPath(new URL('../../src/cli.js', import.meta.url));
const LIST = fileURLToPath(new URL('../walk/list.js', import.meta.url));

const work = mkdtempSync(join(values.place, 'lostwrite-images-'));
const image = join(work, 'tree.img');
const mountPoint = join(work, 'mounted');
const store = join(work, 'store.db');

try {
  makeImage();
  withMount(() => {
    print(`## Images: ${values.tree} in ext4 made by mke2fs, warm, median of ${values.rounds} turns\n`);
    print(`${surroundings()}\n`);
    match('All names with their metadata', listing());
    match('All content, hashed', reading());
  });
} finally {
  rmSync(work, { recursive: true });
}

function makeImage(): void {
  execFileSync('truncate', ['--size', values.size, image]);
  execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', '-d', values.tree, image]);
}

function withMount(use: () => void): void {
  mkdirSync(mountPoint);
  execFileSync('mount', ['-t', 'ext4', '-o', 'loop,ro,noload', image, mountPoint]);
  try {
    use();
  } finally {
    execFileSync('umount', [mountPoint]);
  }
}

function match(title: string, contestants: readonly Contestant[]): void {
  print(`### ${title}\n`);
  print(`${resultTable(contestants, compete(contestants, Number(values.rounds)))}\n`);
}

/** Into a store, without references; the whole scan comes with those that the tree holds, and its report. */
function listing(): Contestant[] {
  const report = join(work, 'report.json');
  return [
    { name: 'lostwrite, list the image', command: [process.execPath, LIST, image, store] },
    { name: 'lostwrite, list its mount', command: [process.execPath, LIST, mountPoint, store] },
    { name: 'fls -r -p', command: ['fls', '-r', '-p', image] },
    { name: 'fiwalk -g -z (no block runs, no digests)', command: ['fiwalk', '-g', '-z', image] },
    {
      name: 'lostwrite scan --metadata-only, the image',
      command: ours('scan', image, '--metadata-only', '--json', report),
      exitCodes: [0, 1],
      prepare: forget,
    },
  ];
}

/** SHA-256 and XXH64 of each block by ours, MD5 and SHA-1 by fiwalk. */
function reading(): Contestant[] {
  const create = (target: string) => ours('baseline', 'create', target, '--name', 'bench');
  return [
    { name: 'lostwrite baseline create, the image', command: create(image), prepare: forget },
    { name: 'lostwrite baseline create, its mount', command: create(mountPoint), prepare: forget },
    { name: 'fiwalk', command: ['fiwalk', image] },
  ];
}

function ours(...args: readonly string[]): Contestant['command'] {
  return [process.execPath, PROGRAM, ...args, '--store', store, '--force', '--quiet'];
}

function forget(): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(store + suffix, { force: true });
}
