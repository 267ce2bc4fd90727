// The platform of a sweep's tests: small disks of one system, some of them damaged, with all that goes wrong in a list of many.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { sweepSchemaErrors } from '../report/report-validator.ts';
import { blank, hasTools, install, MIB, makePackage, tool } from './image-fixtures.ts';
import { IS_ROOT, type Place, succeeds } from './program.ts';

export interface Platform {
  /** Folder of the disk images. */
  readonly images: string;
  /** Names of images that can be scanned, as the glob over the folder names them. */
  readonly disks: readonly string[];
  /** A directory with the same system, undamaged. */
  readonly tree: string;
}

/** What is wrong on the disk of this number: every third lacks a file or holds other bytes in one. */
function damage(root: string, number: number): void {
  const share = `${root}/usr/share/oddities`;
  if (number % 3 === 0) rmSync(`${share}/two`);
  if (number % 6 === 0) writeFileSync(`${share}/three`, Buffer.alloc(15_000));
}

/** What qemu-img calls a container, and the ending of its files. */
const CONTAINERS = [
  ['qcow2', 'qcow2'],
  ['vmdk', 'vmdk'],
  ['vhdx', 'vhdx'],
  ['vdi', 'vdi'],
  ['vpc', 'vhd'],
] as const;

/** Smaller ones are refused by mkfs.xfs. */
const XFS_BYTES = 300 * MIB;

/**
 * `count` disks: even ones are raw, odd ones take turns among the containers; each has a file of its own besides the package's.
 * The last one is XFS where the kernel mounts it, else ext4 as all others.
 */
export function makePlatform(place: Place, count: number): Platform {
  const packed = makePackage(place);
  const tree = place.at('tree');
  mkdirSync(tree);
  install(tree, packed);
  const images = place.at('images');
  mkdirSync(images);
  const disks = Array.from({ length: count }, (_, index) => makeDisk(place, images, index + 1, index + 1 === count));
  return { images, disks: disks.sort(), tree };
}

function makeDisk(place: Place, images: string, number: number, isLast: boolean): string {
  const root = place.at('root');
  cpSync(place.at('tree'), root, { recursive: true, preserveTimestamps: true });
  mkdirSync(`${root}/srv`);
  writeFileSync(`${root}/srv/own`, `disk ${number}`.repeat(1000));
  damage(root, number);
  const name = `vm${String(number).padStart(2, '0')}`;
  const raw = `${images}/${name}.img`;
  if (isLast && hasXfs()) makeXfs(root, raw);
  else tool('mkfs.ext4', '-q', '-F', '-d', root, blank(raw, 4 * MIB));
  rmSync(root, { recursive: true });
  if (number % 2 === 0) return `${name}.img`;
  const [format, ending] = CONTAINERS[((number - 1) / 2) % CONTAINERS.length] ?? CONTAINERS[0];
  tool('qemu-img', 'convert', '-O', format, raw, `${images}/${name}.${ending}`);
  rmSync(raw);
  return `${name}.${ending}`;
}

function hasXfs(): boolean {
  return IS_ROOT && hasTools('mkfs.xfs') && succeeds('sh', ['-c', 'modprobe -q xfs; grep -qw xfs /proc/filesystems']);
}

function makeXfs(root: string, raw: string): void {
  tool('mkfs.xfs', '-q', blank(raw, XFS_BYTES));
  const point = `${raw}.mounted`;
  mkdirSync(point);
  tool('mount', '-o', 'loop', raw, point);
  try {
    tool('cp', '-a', `${root}/.`, point);
  } finally {
    tool('umount', point);
    rmSync(point, { recursive: true });
  }
}

/** An image that announces a qcow2 and ends within its header's tables. */
export function makeBroken(whole: string, broken: string): void {
  execFileSync('dd', [`if=${whole}`, `of=${broken}`, 'bs=200', 'count=1', 'status=none']);
}

export interface ReadSweep {
  readonly run: { readonly complete: boolean };
  readonly summary: {
    readonly targets: number;
    readonly whole: number;
    readonly partial: number;
    readonly failed: number;
    readonly notStarted: number;
    readonly damaged: number;
    readonly hasFindings: boolean;
    readonly figures: Readonly<Record<string, number | Readonly<Record<string, number>>>>;
  };
  readonly targets: readonly ReadTarget[];
  readonly byOwner: readonly { readonly owner: string | null; readonly targets: number; readonly reported: number }[];
  readonly byPackage: readonly { readonly name: string; readonly targets: number; readonly reported: number }[];
}

export interface ReadTarget {
  readonly name: string;
  readonly state: string;
  readonly reasons: readonly string[];
  readonly attempts: number;
  readonly report: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

/** A merged summary that is whole and valid; throws otherwise. */
export function parseSweep(text: string): ReadSweep {
  const sweep = JSON.parse(text);
  const errors = sweepSchemaErrors(sweep);
  if (errors.length > 0) throw new Error(`invalid summary: ${JSON.stringify(errors.slice(0, 3))}`);
  return sweep;
}
