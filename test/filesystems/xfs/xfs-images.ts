// Makes XFS images with mkfs.xfs and lets the kernel mount them: the oracle of these tests. Needs root and loop devices.

import { execFileSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { run } from '../ext4/loop-mount.ts';
import { pattern, populate, SMALL } from '../ext4/populate.ts';

/** Whether a command runs; what it prints is not wanted. */
export function works(command: string, args: readonly string[]): boolean {
  try {
    run(command, args);
    return true;
  } catch {
    return false;
  }
}

/** Why there are no images here at all; null when mkfs.xfs and xfs_db run. */
export function whyNoTools(): string | null {
  return works('mkfs.xfs', ['-V']) && works('xfs_db', ['-V']) ? null : 'no mkfs.xfs, no xfs_db';
}

/** Why the kernel cannot be asked here; null when it can. */
export function whyNoXfsMount(): string | null {
  if (process.getuid?.() !== 0) return 'not root';
  if (!works('setfattr', ['--version'])) return 'no setfattr';
  if (!works('losetup', ['-f'])) return 'no loop device';
  if (!works('grep', ['-qw', 'xfs', '/proc/filesystems']) && !works('modprobe', ['xfs']))
    return 'no XFS in this kernel';
  return whyNoTools();
}

/** @param options what mkfs.xfs takes beside the image. Returns false when this mkfs.xfs does not know them. */
export function makeXfs(image: string, sizeBytes: number, options: readonly string[]): boolean {
  writeFileSync(image, '');
  truncateSync(image, sizeBytes);
  // --unsupported: smaller than the 300 MiB that it wants.
  return works('mkfs.xfs', ['-q', '-f', '--unsupported', ...options, image]);
}

/** Calls back with the image mounted at `point`, and unmounts it whatever happens. Returns false when the kernel refuses. */
export function withXfs(image: string, point: string, options: string, use: () => void): boolean {
  run('mkdir', ['-p', point]);
  if (!works('mount', ['-t', 'xfs', '-o', `loop,nouuid,${options}`, image, point])) return false;
  try {
    use();
  } finally {
    run('umount', [point]);
  }
  return true;
}

/** One command of xfs_db, read-only; its lines. */
export function xfsDb(image: string, ...commands: readonly string[]): string[] {
  const args = commands.flatMap(command => ['-c', command]);
  return run('xfs_db', ['-r', ...args, image])
    .trimEnd()
    .split('\n');
}

/** Everything of the common tree, and what only XFS has: each form of directory and of attributes, shared extents. */
export function populateXfs(root: string): void {
  populate(root, SMALL);
  directories(root);
  manyAttributes(root);
  shared(root);
  longLinks(root);
  manyExtents(root);
}

function directories(root: string): void {
  for (const [name, count] of [
    ['short', 3],
    ['block', 25],
    ['leaf', 180],
    ['node', 1500],
  ] as const) {
    mkdirSync(`${root}/forms/${name}`, { recursive: true });
    for (let index = 0; index < count; index++) writeFileSync(`${root}/forms/${name}/entry-${index}`, '');
    for (let index = 0; index < count; index += 5) unlinkSync(`${root}/forms/${name}/entry-${index}`);
    for (let index = 0; index < count; index += 10) mkdirSync(`${root}/forms/${name}/entry-${index}`);
  }
}

/** On one file: more than a leaf holds, values of every size, names of every namespace. */
function manyAttributes(root: string): void {
  const path = `${root}/attributes/many`;
  writeFileSync(path, 'many');
  const lines = Array.from({ length: 60 }, (_, index) => {
    const value = Buffer.alloc((index * 97) % 5000, index).toString('hex');
    return `${['user', 'trusted', 'security'][index % 3]}.attribute-number-${index}=0x${value}`;
  });
  run('setfattr', ['--restore=-'], `# file: ${path}\n${lines.join('\n')}\n`);
  for (const index of [0, 21, 42]) run('setfattr', ['-x', `user.attribute-number-${index}`, path]);
}

/** Copies that share their blocks, where the file system can. */
function shared(root: string): void {
  mkdirSync(`${root}/shared`);
  writeFileSync(`${root}/shared/first`, pattern(12, 200_000));
  if (!works('cp', ['--reflink=always', `${root}/shared/first`, `${root}/shared/second`])) return;
  run('cp', ['--reflink=always', `${root}/shared/first`, `${root}/shared/changed`]);
  const fd = openSync(`${root}/shared/changed`, 'r+');
  writeSync(fd, pattern(13, 10_000), 0, 10_000, 70_000);
  closeSync(fd);
}

function longLinks(root: string): void {
  for (const length of [300, 450, 900, 1023]) symlinkSync('l'.repeat(length), `${root}/links/long-${length}`);
}

/** As many as take a tree of several levels with blocks of 1 KiB. */
function manyExtents(root: string): void {
  const fd = openSync(`${root}/many-extents`, 'w');
  ftruncateSync(fd, 4000 * 8192);
  closeSync(fd);
  const commands = Array.from({ length: 4000 }, (_, index) => `pwrite -q -S ${index % 251} ${index * 8192} 700`);
  execFileSync('xfs_io', [`${root}/many-extents`], { input: commands.join('\n'), stdio: ['pipe', 'ignore', 'ignore'] });
}
