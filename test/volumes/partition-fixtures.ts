// Partitioned disks made by the real tools, and what those say of them.

import { closeSync, existsSync, openSync, statSync, truncateSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { openFileBytes } from '../../src/bytes/file-bytes.ts';
import { type Disk, surveyDisk } from '../../src/volumes/find-volumes.ts';
import { hasTool, run, scratchFolder } from '../bytes/disk-fixtures.ts';

/** Of this test file; its \`remove\` belongs into afterAll. */
export const scratch = scratchFolder();

export const MIB = 2 ** 20;
export const SECTOR = 512;
export const isRoot = process.getuid?.() === 0;
if (!isRoot) process.stderr.write('skipped: loop devices need root\n');
export const hasTools = ['sgdisk', 'sfdisk', 'blkid', 'mkfs.ext4', 'mkswap'].map(tool => hasTool(tool)).every(Boolean);

export function blank(name: string, size: number): string {
  const path = scratch.path(name);
  closeSync(openSync(path, 'w'));
  truncateSync(path, size);
  return path;
}

export function survey(path: string): Disk {
  const file = openFileBytes(path);
  try {
    return surveyDisk(file);
  } finally {
    file.close();
  }
}

export const factNames = (path: string) => survey(path).facts.map(({ name }) => name);

interface TableOfTool {
  readonly partitiontable: {
    readonly sectorsize: number;
    readonly partitions: readonly {
      node: string;
      start: number;
      size: number;
      type: string;
      uuid?: string;
      name?: string;
    }[];
  };
}

/** What sfdisk says of the disk, in our words. */
export function tableOfTool(path: string, ...options: readonly string[]) {
  const { partitiontable }: TableOfTool = JSON.parse(run('sfdisk', '--json', ...options, path));
  return partitiontable.partitions.map(({ node, start, size, type, uuid, name }) => ({
    number: Number(node.slice(path.length).replace(/^p/, '')),
    offset: start * partitiontable.sectorsize,
    size: size * partitiontable.sectorsize,
    type: uuid === undefined ? `0x${type.padStart(2, '0')}` : type.toLowerCase(),
    guid: uuid?.toLowerCase() ?? null,
    name: name ?? '',
  }));
}

export function tableOfOurs(path: string) {
  return survey(path).volumes.map(({ partition, offset, size }) => ({
    number: partition?.number,
    offset,
    size,
    type: partition?.type,
    guid: partition?.guid,
    name: partition?.name,
  }));
}

/** A disk of 64 MiB with partitions 1, 2 and 5. Made once, then copied: sgdisk takes its time. */
export function gptDisk(name: string): string {
  const template = scratch.path('gpt-template');
  if (!existsSync(template)) {
    const parts = ['-n', '1:2048:+8M', '-t', '1:ef00', '-c', '1:EFI system', '-n', '2:+1M:+20M'];
    run('sgdisk', ...parts, '-n', '5:50M:+5M', '-t', '5:8200', '-c', '5:größe', blank('gpt-template', 64 * MIB));
  }
  run('cp', '--sparse=always', template, scratch.path(name));
  return scratch.path(name);
}

export function poke(path: string, at: number, bytes: Uint8Array): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, bytes, 0, bytes.length, at);
  closeSync(fd);
}

export function firstBytes(path: string, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const file = openFileBytes(path);
  file.read(bytes, 0);
  file.close();
  return bytes;
}

/** Offset of the disk's last sector. */
export const lastSector = (path: string) => statSync(path).size - SECTOR;

/** Changes the first copy's entries and header, and makes its checksums right again. */
export function rewrite(
  path: string,
  changeEntries: (entries: Buffer) => void,
  changeHeader: (header: Buffer) => void = () => undefined,
): void {
  const bytes = firstBytes(path, 34 * SECTOR);
  const header = bytes.subarray(SECTOR, 2 * SECTOR);
  const entries = bytes.subarray(2 * SECTOR);
  changeEntries(entries);
  header.writeUInt32LE(crc32(entries.subarray(0, 128 * 128)), 88);
  changeHeader(header);
  header.fill(0, 16, 20).writeUInt32LE(crc32(Buffer.from(header.subarray(0, 92))), 16);
  poke(path, 0, bytes);
}
