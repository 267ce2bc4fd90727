// The kinds of disks that a sweep's platform has: how each is made of a plain ext4 image or of a directory, by its own tools.

import { mkdirSync, rmSync } from 'node:fs';
import { fillVolume, withTools } from '../volumes/lvm2-fixtures.ts';
import { blank, hasTools, MIB, putAt, tool } from './image-fixtures.ts';
import { IS_ROOT, succeeds } from './program.ts';

/** What a disk is made of, and where: `path` is of the image without its ending. */
export interface DiskParts {
  readonly root: string;
  readonly number: number;
  readonly path: string;
}

/** Makes the disk, and gives the ending of the file that names it. */
export type DiskKind = (parts: DiskParts) => string;

const SIZE_MIB = 4;
/** Smaller ones are refused by mkfs.xfs. */
const XFS_MIB = 300;
/** What LVM2 keeps for itself at the start of a disk, and some room. */
const GROUP_MIB = SIZE_MIB + 4;

function plain({ root, path }: DiskParts): string {
  const raw = `${path}.img`;
  tool('mkfs.ext4', '-q', '-F', '-d', root, blank(raw, SIZE_MIB * MIB));
  return raw;
}

const ext4: DiskKind = parts => {
  plain(parts);
  return 'img';
};

/** @param options of qemu-img: `subformat=…` */
function container(format: string, ending: string, make = plain, ...options: readonly string[]): DiskKind {
  return parts => {
    const raw = make(parts);
    tool('qemu-img', 'convert', '-O', format, ...options.flatMap(each => ['-o', each]), raw, `${parts.path}.${ending}`);
    rmSync(raw);
    return ending;
  };
}

const split: DiskKind = parts => {
  const raw = plain(parts);
  tool('split', '-b', '1536K', '-d', '-a', '3', '--numeric-suffixes=1', raw, `${parts.path}.`);
  rmSync(raw);
  return '001';
};

const partitioned: DiskKind = parts => {
  const raw = plain(parts);
  const disk = blank(`${parts.path}.disk`, (SIZE_MIB + 2) * MIB);
  const table = `label: gpt\nstart=${MIB / 512}, size=${(SIZE_MIB * MIB) / 512}\n`;
  tool('sh', '-c', 'printf "$1" | sfdisk -q "$2"', 'sh', table, disk);
  putAt(disk, MIB, raw);
  tool('mv', disk, raw);
  return 'img';
};

/** A group of its own: names of groups are seen by all on the host. */
const logical: DiskKind = parts => {
  const group = `lwrsweep${process.pid}n${parts.number}`;
  const raw = plain(parts);
  const disk = blank(`${parts.path}.disk`, GROUP_MIB * MIB);
  withTools([disk], tools => {
    tools.lvm('pvcreate', '-y', ...tools.devices);
    tools.lvm('vgcreate', '-s', '1M', group, ...tools.devices);
    tools.create('root', '-l', String(SIZE_MIB), group);
    fillVolume(tools, [disk], `${group}/root`, raw);
  });
  tool('mv', disk, raw);
  return 'img';
};

function plainXfs({ root, path }: DiskParts): string {
  const raw = `${path}.img`;
  tool('mkfs.xfs', '-q', blank(raw, XFS_MIB * MIB));
  const point = `${path}.mounted`;
  mkdirSync(point);
  tool('mount', '-o', 'loop', raw, point);
  try {
    tool('cp', '-a', `${root}/.`, point);
  } finally {
    tool('umount', point);
    rmSync(point, { recursive: true });
  }
  return raw;
}

const xfs: DiskKind = parts => {
  plainXfs(parts);
  return 'img';
};

const HAS_XFS =
  IS_ROOT && hasTools('mkfs.xfs') && succeeds('sh', ['-c', 'modprobe -q xfs; grep -qw xfs /proc/filesystems']);
const HAS_LVM = IS_ROOT && hasTools('lvm', 'losetup') && succeeds('losetup', ['-f']);

/** Of disks with even numbers, in turn: the first two are plain, for tests that write to them. */
export const RAW_KINDS: readonly DiskKind[] = [
  ext4,
  ext4,
  split,
  HAS_XFS ? xfs : ext4,
  HAS_LVM ? logical : ext4,
  hasTools('sfdisk') ? partitioned : ext4,
];

/** Of disks with odd numbers, in turn. */
export const BOXED_KINDS: readonly DiskKind[] = [
  container('qcow2', 'qcow2'),
  container('vmdk', 'vmdk'),
  container('vhdx', 'vhdx'),
  container('vdi', 'vdi'),
  container('vmdk', 'vmdk', plain, 'subformat=monolithicFlat'),
  container('vpc', 'vhd'),
  container('vmdk', 'vmdk', plain, 'subformat=streamOptimized'),
  container('vpc', 'vhd', plain, 'subformat=fixed'),
  container('qcow2', 'qcow2', HAS_XFS ? plainXfs : plain),
];
