// Fills a mounted file system with everything that a reader may stumble over.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';

export interface Amounts {
  /** Files of a few hundred bytes in ten directories. */
  readonly files: number;
  /** Files whose names are any bytes, of any length. */
  readonly oddNames: number;
  /** Names in one directory. */
  readonly crowd: number;
  /** Size of the sparse file. */
  readonly sparseBytes: number;
  readonly depth: number;
}

export const SMALL: Amounts = { files: 300, oddNames: 1200, crowd: 600, sparseBytes: 10 * 2 ** 30, depth: 60 };
export const LARGE: Amounts = { files: 5000, oddNames: 5000, crowd: 100_000, sparseBytes: 10 * 2 ** 30, depth: 200 };

const ODD_NAMES = [
  Buffer.from([0xff, 0xfe, 0x80]),
  Buffer.from('new\nline'),
  Buffer.from('carriage\rreturn'),
  Buffer.from('  leading and trailing  '),
  Buffer.from('-dash'),
  Buffer.from('ü'),
  Buffer.from('x'.repeat(255)),
  Buffer.from('\\backslash'),
  Buffer.from([0x01]),
];

/** Bytes that differ from file to file and from block to block, the same in each run. */
export function pattern(seed: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = (seed * 2654435761) >>> 0 || 1;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

export function populate(root: string, amounts: Amounts): void {
  oddNames(root, amounts.oddNames);
  manyFiles(root, amounts.files);
  crowd(root, amounts.crowd);
  deep(root, amounts.depth);
  sparse(root, amounts.sparseBytes);
  allocated(root);
  fragmented(root);
  links(root);
  special(root);
  attributes(root);
  modesAndTimes(root);
  inlineSizes(root);
}

function oddNames(root: string, count: number): void {
  mkdirSync(`${root}/odd`);
  for (const [index, name] of ODD_NAMES.entries()) {
    writeFileSync(Buffer.concat([Buffer.from(`${root}/odd/`), name]), pattern(index, 50 + index));
  }
  const directory = Buffer.concat([Buffer.from(`${root}/odd/`), Buffer.from([0xc3, 0x28])]);
  mkdirSync(directory);
  writeFileSync(Buffer.concat([directory, Buffer.from('/inside')]), 'inside');
  mkdirSync(`${root}/odder`);
  for (let index = 0; index < count; index++) writeFileSync(oddPath(`${root}/odder/`, index), `${index}`);
}

/** Every byte that a name may hold, alone first; then any of them, 1 to 255 bytes long. A number at the end tells them apart. */
function oddPath(directory: string, index: number): Buffer {
  const length = index < 256 ? 1 : 1 + ((index * 37) % 250);
  const bytes = index < 256 ? Buffer.from([index]) : pattern(index, length);
  const allowed = bytes.map(byte => (byte === 0 || byte === 0x2f ? 0x20 : byte));
  const number = index < 256 ? '' : index.toString(36);
  const name = Buffer.concat([allowed, Buffer.from(index === 0x2e ? `${number}.x` : number)]);
  return Buffer.concat([Buffer.from(directory), name]);
}

function manyFiles(root: string, count: number): void {
  for (let directory = 0; directory < 10; directory++) mkdirSync(`${root}/many-${directory}`);
  for (let index = 0; index < count; index++) {
    writeFileSync(`${root}/many-${index % 10}/file-${index}`, pattern(index, (index * 37) % 3000));
  }
}

function crowd(root: string, count: number): void {
  mkdirSync(`${root}/crowd`);
  for (let index = 0; index < count; index++) writeFileSync(`${root}/crowd/a-rather-long-name-of-a-file-${index}`, '');
  for (let index = 0; index < count; index += 7) unlinkSync(`${root}/crowd/a-rather-long-name-of-a-file-${index}`);
}

function deep(root: string, depth: number): void {
  let path = `${root}/deep`;
  mkdirSync(path);
  for (let level = 0; level < depth; level++) {
    path = `${path}/d${level}`;
    mkdirSync(path);
    writeFileSync(`${path}/f`, `level ${level}`);
  }
}

/** A few islands of data, and a hole at the end. */
function sparse(root: string, size: number): void {
  const fd = openSync(`${root}/sparse`, 'w');
  for (const at of [0, 70_000, Math.floor(size / 3), Math.floor(size / 2) + 1234])
    writeSync(fd, pattern(at, 5000), 0, 5000, at);
  ftruncateSync(fd, size);
  closeSync(fd);
}

/** Preallocated, partly written, punched, and reserved beyond the end. May be refused: not every format can. */
function allocated(root: string): void {
  writeFileSync(`${root}/punched`, pattern(99, 300_000));
  const attempts = [
    ['-l', '200000', `${root}/preallocated`],
    ['-p', '-o', '50000', '-l', '100000', `${root}/punched`],
    ['-n', '-o', '400000', '-l', '100000', `${root}/punched`],
  ];
  for (const args of attempts) {
    try {
      execFileSync('fallocate', args, { stdio: 'ignore' });
    } catch {
      return;
    }
  }
  const fd = openSync(`${root}/preallocated`, 'r+');
  writeSync(fd, pattern(5, 10_000), 0, 10_000, 60_001);
  closeSync(fd);
}

/** Every other block written: more extents than the inode and one block of them hold. */
function fragmented(root: string): void {
  const fd = openSync(`${root}/fragmented`, 'w');
  for (let index = 0; index < 700; index++) writeSync(fd, pattern(index, 1000), 0, 1000, index * 8192);
  closeSync(fd);
}

function links(root: string): void {
  writeFileSync(`${root}/hard`, 'one inode, three names');
  linkSync(`${root}/hard`, `${root}/hard-2`);
  linkSync(`${root}/hard`, `${root}/deep/hard-3`);
  mkdirSync(`${root}/links`);
  for (const length of [1, 58, 59, 60, 61, 200, 1000]) symlinkSync('t'.repeat(length), `${root}/links/link-${length}`);
  symlinkSync(Buffer.from([0xff, 0x0a, 0x2f]), `${root}/links/odd`);
}

function special(root: string): void {
  mkdirSync(`${root}/special`);
  execFileSync('mknod', [`${root}/special/fifo`, 'p']);
  execFileSync('mknod', [`${root}/special/char`, 'c', '1', '300']);
  execFileSync('mknod', [`${root}/special/block`, 'b', '260', '65600']);
  const listen = `require('net').createServer().listen(${JSON.stringify(`${root}/special/socket`)}, () => process.kill(process.pid, 9))`;
  try {
    execFileSync(process.execPath, ['-e', listen], { stdio: 'ignore' });
  } catch {
    // Killed on purpose, so that the socket's name stays.
  }
}

function attributes(root: string): void {
  mkdirSync(`${root}/attributes`);
  const set = (path: string, name: string, value: string) => {
    try {
      execFileSync('setfattr', ['-n', name, '-v', `0x${Buffer.from(value).toString('hex')}`, path], {
        stdio: 'ignore',
      });
    } catch {
      // No room: without ea_inode an inode has one block for all.
    }
  };
  for (const [index, length] of [3, 40, 500, 3000, 9000, 60_000].entries()) {
    const path = `${root}/attributes/with-${length}`;
    writeFileSync(path, pattern(index, 100));
    set(path, 'user.short', 'v');
    set(path, 'user.value', 'w'.repeat(length));
    set(path, 'trusted.other', 'trust');
  }
  set(`${root}/attributes`, 'user.on-a-directory', 'yes');
}

function modesAndTimes(root: string): void {
  mkdirSync(`${root}/modes`);
  for (const mode of ['0', '4755', '2711', '1777', '640']) {
    const path = `${root}/modes/m${mode}`;
    writeFileSync(path, mode);
    chownSync(path, 70_000, 100_000);
    chmodSync(path, Number.parseInt(mode, 8));
  }
  for (const [index, seconds] of [-2_000_000_000.5, -1, 0, 2_147_483_647, 4_294_967_296.25, 10_000_000_000].entries()) {
    const path = `${root}/modes/time-${index}`;
    writeFileSync(path, '');
    utimesSync(path, seconds, seconds);
  }
}

/** Around what an inode itself can hold. */
function inlineSizes(root: string): void {
  mkdirSync(`${root}/inline`);
  for (const size of [0, 1, 59, 60, 61, 100, 156, 160, 200, 4000])
    writeFileSync(`${root}/inline/s${size}`, pattern(size, size));
  for (const count of [1, 2, 4, 8, 16]) {
    mkdirSync(`${root}/inline/dir-${count}`);
    for (let index = 0; index < count; index++) writeFileSync(`${root}/inline/dir-${count}/n${index}`, 'n');
  }
}
