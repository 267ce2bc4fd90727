// The images bench: a tree in an ext4 image, listed and read by us, against the same tree mounted and against the Sleuth Kit.
// `node dist/bench/images/run.js [--tree DIR [--size SIZE] | --image FILE] [--only list|scan|read] [--rounds N] [--place DIR]`
// Needs root, mke2fs and sleuthkit; the image is made of the tree, unless one is given.
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
    image: { type: 'string' },
    only: { type: 'string' },
    size: { type: 'string', default: '1G' },
    rounds: { type: 'string', default: '3' },
    place: { type: 'string', default: tmpdir() },
  },
});

const PROGRAM = fileURLToPath(new URL('../../src/cli.js', import.meta.url));
const LIST = fileURLToPath(new URL('../walk/list.js', import.meta.url));

const work = mkdtempSync(join(values.place, 'lostwrite-images-'));
const image = values.image ?? join(work, 'tree.img');
const mountPoint = join(work, 'mounted');
const store = join(work, 'store.db');

const SECTIONS: readonly (readonly [name: string, title: string, contestants: () => Contestant[]])[] = [
  ['list', 'All names with their metadata', listing],
  ['scan', 'A scan without content', scanning],
  ['read', 'All content, hashed', reading],
];

try {
  if (values.image === undefined) makeImage();
  withMount(() => {
    const what = values.image ?? `${values.tree} in ext4 made by mke2fs`;
    print(`## Images: ${what}, warm, median of ${values.rounds} turns\n`);
    print(`${surroundings()}\n`);
    for (const [name, title, contestants] of SECTIONS) if ((values.only ?? name) === name) match(title, contestants());
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

/** Into a store on disk. */
function listing(): Contestant[] {
  return [
    { name: 'lostwrite, list the image', command: [process.execPath, LIST, image, store] },
    { name: 'lostwrite, list its mount', command: [process.execPath, LIST, mountPoint, store] },
    { name: 'fls -r -p', command: ['fls', '-r', '-p', image] },
    { name: 'fiwalk -g -z (no block runs, no digests)', command: ['fiwalk', '-g', '-z', image] },
  ];
}

/** With the references that the tree holds, and a report. */
function scanning(): Contestant[] {
  const scan = (target: string) =>
    ours('scan', target, '--metadata-only', '--json', join(work, 'report.json'), '--allow-partial');
  const common = { exitCodes: [0, 1], prepare: forget };
  return [
    { name: 'lostwrite scan --metadata-only, the image', command: scan(image), ...common },
    { name: 'lostwrite scan --metadata-only, its mount', command: scan(mountPoint), ...common },
    { name: 'fiwalk -g -z (no block runs, no digests)', command: ['fiwalk', '-g', '-z', image] },
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
