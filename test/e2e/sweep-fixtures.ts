// The platform of a sweep's tests: small disks of one system, some of them damaged, with all that goes wrong in a list of many.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { sweepSchemaErrors } from '../report/report-validator.ts';
import { install, makePackage } from './image-fixtures.ts';
import type { Place } from './program.ts';
import { BOXED_KINDS, RAW_KINDS } from './sweep-disks.ts';

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

/**
 * `count` disks: even ones are raw in one way or another, odd ones containers; each has a file of its own besides the package's.
 */
export function makePlatform(place: Place, count: number): Platform {
  const packed = makePackage(place);
  const tree = place.at('tree');
  mkdirSync(tree);
  install(tree, packed);
  const images = place.at('images');
  mkdirSync(images);
  const disks = Array.from({ length: count }, (_, index) => makeDisk(place, images, index + 1));
  return { images, disks: disks.sort(), tree };
}

function makeDisk(place: Place, images: string, number: number): string {
  const root = place.at('root');
  cpSync(place.at('tree'), root, { recursive: true, preserveTimestamps: true });
  mkdirSync(`${root}/srv`);
  writeFileSync(`${root}/srv/own`, `disk ${number}`.repeat(1000));
  damage(root, number);
  const name = `vm${String(number).padStart(2, '0')}`;
  const kinds = number % 2 === 0 ? RAW_KINDS : BOXED_KINDS;
  const make = kinds[Math.floor((number - 1) / 2) % kinds.length];
  const ending = make?.({ root, number, path: `${images}/${name}` });
  rmSync(root, { recursive: true });
  return `${name}.${ending}`;
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
