// A regular file or a block device, read by position. Node offers neither ioctl nor lseek: a device's size comes from sysfs or
// is searched for, and holes are found by reading them (the kernel hands out their zeros at memory speed). st_blocks is no help:
// several file systems report 0 for small, inline or remote files that do hold data.
// Devices are read around the page cache (O_DIRECT): what it holds may differ from the medium, and the medium is what is examined.

import { type BigIntStats, closeSync, constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { errorCode, ReadError, UsageError, wordsOfCode } from '../errors.ts';
import type { TargetIdentity } from '../model.ts';
import type { ByteSource } from './byte-source.ts';
import { zeroPrefix } from './zeros.ts';

/** O_NONBLOCK: opening a FIFO that somebody put there must not wait for its writer. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;
const SECTOR_BYTES = 512;
/** Offsets, lengths and memory of direct reads are multiples of it: no device in use asks for more. */
const DIRECT_ALIGNMENT = 4096;
const BOUNCE_BYTES = 1024 * 1024;
/** nextData looks at this much first, then at more with every step, up to the last. */
const PROBE_BYTES = [4096, 64 * 1024, 256 * 1024] as const;

export interface FileBytes extends ByteSource {
  readonly identity: TargetIdentity;
  close(): void;
}

/**
 * Opens `path` (a host path) for reading. Throws UsageError when it cannot be opened, is neither a regular file nor a block
 * device, or is no longer the one that `expected` describes.
 */
export function openFileBytes(path: string, expected: TargetIdentity | null = null): FileBytes {
  const file = openEither(path);
  if (expected === null || isDeepStrictEqual(file.identity, expected)) return file;
  file.close();
  throw new UsageError(`${path}: changed since the scan began`);
}

function openEither(path: string): FileBytes {
  const fd = openQuietly(path, OPEN_FLAGS);
  try {
    const stats = fstatSync(fd, { bigint: true });
    return stats.isBlockDevice() ? new DeviceBytes(path, fd, stats) : new RegularBytes(path, fd, stats);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Reading must not change the access time where that can be had: O_NOATIME is for the owner and root only. */
function openQuietly(path: string, flags: number): number {
  try {
    return openSync(path, flags | constants.O_NOATIME);
  } catch (error) {
    if (errorCode(error) !== 'EPERM') throw cannotOpen(path, error);
  }
  try {
    return openSync(path, flags);
  } catch (error) {
    throw cannotOpen(path, error);
  }
}

function cannotOpen(path: string, error: unknown): unknown {
  const code = errorCode(error);
  return code === null ? error : new UsageError(`${path}: cannot be opened: ${wordsOfCode(code)}`);
}

/** As for every target: of a block device, it is that of its node. */
function identityOf(stats: BigIntStats): TargetIdentity {
  return {
    device: String(stats.dev),
    inode: String(stats.ino),
    sizeBytes: Number(stats.size),
    mtimeNs: String(stats.mtimeNs),
  };
}

class RegularBytes implements FileBytes {
  readonly size: number;
  readonly name: string;
  readonly identity: TargetIdentity;
  readonly #fd: number;
  #probe: Uint8Array | null = null;

  constructor(path: string, fd: number, stats: BigIntStats) {
    if (!stats.isFile()) throw new UsageError(`${path}: neither a regular file nor a block device`);
    this.#fd = fd;
    this.name = path;
    this.size = Number(stats.size);
    this.identity = identityOf(stats);
  }

  read(into: Uint8Array, at: number): number {
    const wanted = Math.min(into.length, this.size - at);
    let filled = 0;
    while (filled < wanted) {
      const count = readOnce(this.#fd, this.name, into.subarray(filled, wanted), at + filled);
      if (count === 0) throw new ReadError(this.name, at + filled, wanted - filled, 'ESTALE');
      filled += count;
    }
    return filled;
  }

  /** Exact to 4 KiB. What cannot be read may be data. */
  nextData(at: number): number {
    this.#probe ??= new Uint8Array(PROBE_BYTES[2]);
    for (let step = 0; at < this.size; step = Math.min(step + 1, 2)) {
      const probe = this.#probe.subarray(0, PROBE_BYTES[step]);
      const count = this.#readForProbe(probe, at);
      const zeros = zeroPrefix(probe.subarray(0, count));
      at += zeros;
      if (zeros < count || count === 0) return at;
    }
    return this.size;
  }

  close(): void {
    closeSync(this.#fd);
  }

  #readForProbe(into: Uint8Array, at: number): number {
    try {
      return this.read(into, at);
    } catch (error) {
      if (error instanceof ReadError) return 0;
      throw error;
    }
  }
}

class DeviceBytes implements FileBytes {
  readonly size: number;
  readonly name: string;
  readonly identity: TargetIdentity;
  readonly #fd: number;
  readonly #direct: boolean;
  #bounce: Uint8Array | null = null;

  constructor(path: string, fd: number, stats: BigIntStats) {
    this.name = path;
    this.size = deviceSize(path, fd, stats.rdev);
    this.identity = identityOf(stats);
    const direct = openDirect(path, stats.rdev);
    this.#direct = direct !== null;
    this.#fd = direct ?? fd;
    if (direct !== null) closeSync(fd);
  }

  read(into: Uint8Array, at: number): number {
    const wanted = Math.max(0, Math.min(into.length, this.size - at));
    let filled = 0;
    while (filled < wanted) {
      const part = into.subarray(filled, wanted);
      const count = this.#direct
        ? this.#readDirect(part, at + filled)
        : readOnce(this.#fd, this.name, part, at + filled);
      if (count === 0) throw new ReadError(this.name, at + filled, wanted - filled, 'ENXIO');
      filled += count;
    }
    return filled;
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** Reads the aligned surroundings of `at` into aligned memory, and copies. */
  #readDirect(into: Uint8Array, at: number): number {
    this.#bounce ??= alignedMemory(BOUNCE_BYTES);
    const lead = at % DIRECT_ALIGNMENT;
    const span = Math.min(BOUNCE_BYTES, Math.ceil((lead + into.length) / DIRECT_ALIGNMENT) * DIRECT_ALIGNMENT);
    const count = readOnce(this.#fd, this.name, this.#bounce.subarray(0, span), at - lead) - lead;
    const taken = Math.max(0, Math.min(count, into.length));
    into.set(this.#bounce.subarray(lead, lead + taken));
    return taken;
  }
}

declare const WebAssembly: {
  readonly Memory: new (descriptor: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
};

/** WebAssembly memory begins on a page boundary; other buffers do so by luck only. */
function alignedMemory(bytes: number): Uint8Array {
  return new Uint8Array(new WebAssembly.Memory({ initial: bytes / 65536 }).buffer);
}

/** Null when the device cannot be opened for direct reads, or is another one by now. */
function openDirect(path: string, rdev: bigint): number | null {
  let fd: number;
  try {
    fd = openQuietly(path, OPEN_FLAGS | constants.O_DIRECT);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return null;
  }
  if (fstatSync(fd, { bigint: true }).rdev === rdev) return fd;
  closeSync(fd);
  return null;
}

function readOnce(fd: number, name: string, into: Uint8Array, at: number): number {
  try {
    return readSync(fd, into, 0, into.length, at);
  } catch (error) {
    const code = errorCode(error);
    throw code === null ? error : new ReadError(name, at, into.length, code);
  }
}

/** Linux device numbers: 12 bits of major at 8, minor around them. */
function deviceSize(path: string, fd: number, rdev: bigint): number {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n);
  try {
    return Number(readFileSync(`/sys/dev/block/${major}:${minor}/size`, 'latin1')) * SECTOR_BYTES;
  } catch (error) {
    if (errorCode(error) === null) throw error;
    return searchSize((into, at) => readOnce(fd, path, into, at));
  }
}

/** The size, in whole sectors, of something of which only reading tells where it ends. */
export function searchSize(read: (into: Uint8Array, at: number) => number): number {
  const sector = new Uint8Array(SECTOR_BYTES);
  const exists = (index: number) => read(sector, index * SECTOR_BYTES) > 0;
  if (!exists(0)) return 0;
  let known = 0;
  let beyond = 1;
  while (beyond < 2 ** 43 && exists(beyond)) {
    known = beyond;
    beyond *= 2;
  }
  while (beyond - known > 1) {
    const middle = Math.floor((known + beyond) / 2);
    if (exists(middle)) known = middle;
    else beyond = middle;
  }
  return beyond * SECTOR_BYTES;
}
