// Ordinary acts that put old bytes at new places, or leave places as they were: what a map of blocks may take for a lost write.

import { appendFileSync, copyFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../fixtures/incident/processes.ts';
import { blocksOf } from './content.ts';
import type { InnocentAct } from './innocent-acts.ts';

const nothing = (): void => undefined;
const sh = (command: string) => (directory: string) => {
  run('bash', ['-ec', command], { cwd: directory });
};
const python = (script: string) => (directory: string) => {
  run('python3', ['-c', script], { cwd: directory });
};

/** Something done to what stands there, in one step. */
const onTree = (name: string, before: (directory: string) => void, act: (directory: string) => void): InnocentAct => ({
  name,
  before,
  between: nothing,
  act,
});

const write = (name: string, bytes: Uint8Array) => (directory: string) => writeFileSync(join(directory, name), bytes);
const allOf =
  (...steps: readonly ((directory: string) => void)[]) =>
  (directory: string) => {
    for (const step of steps) step(directory);
  };

const FILE = write('f', blocksOf('block act', 40));

const DIRECT = `
import mmap, os
file = os.open('f', os.O_RDWR | os.O_CREAT | os.O_DIRECT)
page = mmap.mmap(-1, 16384)
for at in range(4): page[at * 4096:(at + 1) * 4096] = (b'direct %d ' % at).ljust(4096, b'd')
os.pwrite(file, page, 0)
os.ftruncate(file, 13000)
`;
const MAPPED = `
import mmap, os
file = os.open('f', os.O_RDWR | os.O_CREAT)
os.ftruncate(file, 12288)
memory = mmap.mmap(file, 12288)
os.ftruncate(file, 10000)
for at in range(0, 12288, 64): memory[at:at + 6] = b'mapped'
memory.flush()
`;
const MAPPED_TAIL = `
import mmap, os
file = os.open('f', os.O_RDWR)
os.ftruncate(file, 150001)
memory = mmap.mmap(file, 0)
memory[149000:149010] = b'0123456789'
memory[150000:150001] = b'x'
`;

const ON_ONE_FILE: readonly InnocentAct[] = [
  onTree('direct writes of a new file, cut short', nothing, python(DIRECT)),
  onTree('direct writes over a file, cut short', FILE, python(DIRECT)),
  onTree('a mapping of a new file, stored beyond its end', nothing, python(MAPPED)),
  onTree('a mapping of an old file, stored beyond its end', FILE, python(MAPPED)),
  onTree('a mapping that writes the last byte', FILE, python(MAPPED_TAIL)),
  onTree('a file of zeros', nothing, sh('head -c 40000 /dev/zero > f')),
  onTree('zeros in the middle', nothing, sh('(seq 3000; head -c 20000 /dev/zero; seq 3000) > f')),
  onTree(
    'zeros written over old bytes',
    FILE,
    sh('dd if=/dev/zero of=f bs=4096 seek=3 count=4 conv=notrunc status=none'),
  ),
  onTree('zeros at the end', FILE, sh('head -c 9000 /dev/zero >> f')),
  onTree(
    'a hole that is filled',
    sh('truncate -s 100K f; seq 9 >> f'),
    sh('seq 3000 | dd of=f conv=notrunc status=none'),
  ),
  onTree(
    'preallocated blocks that are written',
    sh('fallocate -l 100K f'),
    sh('seq 3000 | dd of=f conv=notrunc status=none'),
  ),
  onTree(
    'preallocated blocks, every other one written',
    sh('fallocate -l 80K f'),
    sh('for at in 1 3 5 7; do echo at $at | dd of=f bs=4096 seek=$at conv=notrunc status=none; done'),
  ),
  onTree(
    'preallocated beyond the end, then appended to',
    sh('seq 99 > f; fallocate -n -l 100K f'),
    sh('seq 3000 >> f'),
  ),
  onTree(
    'preallocated over old bytes of a deleted file',
    allOf(FILE, sh('cp f g; rm g')),
    sh('fallocate -l 160K h; seq 99 | dd of=h bs=8192 seek=3 conv=notrunc status=none'),
  ),
  onTree(
    'zero range, then written',
    FILE,
    sh('fallocate -z -o 8192 -l 16384 f; seq 99 | dd of=f bs=4096 seek=3 conv=notrunc status=none'),
  ),
  onTree(
    'a punched hole, filled with what it held',
    FILE,
    sh('cp f g; fallocate -p -o 8192 -l 16384 f; dd if=g of=f bs=4096 skip=2 seek=2 count=4 conv=notrunc status=none'),
  ),
  onTree('a collapsed range, and more appended', FILE, sh('fallocate -c -o 8192 -l 16384 f; seq -f more-%g 3000 >> f')),
  onTree(
    'an inserted range, filled',
    FILE,
    sh('fallocate -i -o 8192 -l 16384 f; seq -f filled-%g 1500 | dd of=f bs=4096 seek=2 conv=notrunc status=none'),
  ),
  onTree('cut short within a block, and appended to', FILE, directory => {
    truncateSync(join(directory, 'f'), 70_000);
    appendFileSync(join(directory, 'f'), 'and more\n');
  }),
  onTree('cut short within a block, and made longer', FILE, directory => {
    truncateSync(join(directory, 'f'), 70_000);
    truncateSync(join(directory, 'f'), 75_000);
  }),
  onTree('appended to line by line', sh('seq 10 > f'), sh('for at in $(seq 30); do echo line $at >> f; sync f; done')),
  onTree(
    'many appenders at once',
    nothing,
    sh('for each in 1 2 3; do (for at in $(seq 40); do seq $at 200 >> f$each; done) & done; wait'),
  ),
];

/** What stood there before the map was made, is deleted then, and is made again afterwards: into its old blocks. */
const again = (name: string, make: (directory: string) => void, unmake: (directory: string) => void): InnocentAct =>
  onTree(name, allOf(make, sh('sync -f .'), unmake, sh('sync -f .')), make);

const MANY = sh('mkdir -p d; for at in $(seq 30); do (echo file $at; seq $at $((at * 150))) > d/$at; done');
const ARCHIVE = sh(
  'mkdir s; for at in $(seq 30); do (echo file $at; seq $at $((at * 150))) > s/$at; done; tar czf s.tgz s; rm -r s',
);

const AGAIN: readonly InnocentAct[] = [
  again('a file that is deleted and made again', FILE, sh('rm f')),
  again('files that are deleted and made again', MANY, sh('rm -r d')),
  again('a temporary file that comes and goes', sh('seq 4000 > tmp; mv tmp f'), sh('rm f')),
  onTree(
    'an archive that is unpacked, removed and unpacked again',
    allOf(ARCHIVE, sh('tar xzf s.tgz; sync -f .; rm -r s; sync -f .')),
    sh('tar xzf s.tgz'),
  ),
  onTree(
    'a copy that is removed and made again',
    directory => {
      FILE(directory);
      copyFileSync(join(directory, 'f'), join(directory, 'g'));
      sh('sync -f .')(directory);
      rmSync(join(directory, 'g'));
    },
    sh('cp f other'),
  ),
  onTree(
    'two branches, one after the other',
    sh(
      'git init -q; git config user.email a@b; git config user.name n; echo 1 > r; git add .; git commit -qm 1; git checkout -qb a; for at in $(seq 20); do seq $at 2000 > a$at; done; git add .; git commit -qm a; sync -f .; git checkout -q -; sync -f .',
    ),
    sh('git checkout -q a'),
  ),
];

export const BLOCK_ACTS: readonly InnocentAct[] = [...ON_ONE_FILE, ...AGAIN];
