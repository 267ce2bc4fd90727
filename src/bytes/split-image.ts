// An image cut into pieces that lie beside each other: disk.001, disk.002, … (or .000, .00, .01; .aa, .ab, as split names them).
// All pieces but the last have one size. Which names are pieces is told by the first; whether all are there, by their sizes.

import { existsSync } from 'node:fs';
import { UsageError } from '../errors.ts';
import { type FileBytes, openFileBytes } from './file-bytes.ts';
import { joinedBytes } from './joined-bytes.ts';

/** No image in use has more; each costs an open file. */
const MAX_PIECES = 1000;

export interface SplitImage {
  readonly file: FileBytes;
  /** Host paths of all pieces. */
  readonly paths: readonly string[];
}

/** All pieces as one file when `path`, open as `first`, is the first of several; null when it stands alone. Throws UsageError. */
export function openSplit(first: FileBytes, path: string): SplitImage | null {
  const name = pieceName(path);
  if (name === null || !name.isFirst) return refuseLaterPiece(path);
  const paths = laterPieces(name);
  if (paths.length === 0) return null;
  const opened: FileBytes[] = [first];
  try {
    for (const each of paths) opened.push(openFileBytes(each));
    assertWhole(path, opened);
  } catch (error) {
    for (const file of opened.slice(1)) file.close();
    throw error;
  }
  const bytes = joinedBytes(path, opened);
  const close = () => opened.splice(0).forEach(file => void file.close());
  const file: FileBytes = {
    identity: first.identity,
    name: path,
    size: bytes.size,
    read: (into, at) => bytes.read(into, at),
    close,
    ...(bytes.nextData === undefined ? {} : { nextData: at => bytes.nextData?.(at) ?? at }),
  };
  return { file, paths: [path, ...paths] };
}

interface PieceName {
  readonly base: string;
  readonly suffix: string;
  readonly isFirst: boolean;
}

/** Two to four digits, or the letters from which split counts up. */
function pieceName(path: string): PieceName | null {
  const [, base = '', suffix = ''] = /^(.*\.)(\d{2,4}|a{2,3})$/.exec(path) ?? [];
  if (suffix === '') return null;
  const isFirst = /^(0+|a+)$/.test(suffix) || (/^0+1$/.test(suffix) && !existsSync(base + '0'.repeat(suffix.length)));
  return { base, suffix, isFirst };
}

/** The piece that stands for the whole, when `path` is called like a later one and there is such a file. */
export function firstPieceOf(path: string): string | null {
  const [, base = '', letters = ''] = /^(.*\.)([a-z]{2,3})$/.exec(path) ?? [];
  if (letters !== '') return firstOfLetters(base, letters);
  const name = pieceName(path);
  if (name === null || name.isFirst) return null;
  const firsts = ['0'.repeat(name.suffix.length), '1'.padStart(name.suffix.length, '0')].map(each => name.base + each);
  return firsts.find(each => existsSync(each)) ?? null;
}

/** Any ending has the shape of letters: only one that the pieces lead up to is meant. */
function firstOfLetters(base: string, letters: string): string | null {
  const first = 'a'.repeat(letters.length);
  let next: string | null = first;
  for (let count = 0; next !== null && next !== letters && count < MAX_PIECES; count++) {
    next = existsSync(base + next) ? following(next) : null;
  }
  return next === letters && letters !== first ? base + first : null;
}

function refuseLaterPiece(path: string): null {
  const first = firstPieceOf(path);
  if (first === null) return null;
  throw new UsageError(`${path}: is a piece of a split image: name its first piece, ${first}`);
}

function laterPieces({ base, suffix }: PieceName): string[] {
  const paths: string[] = [];
  for (let next = following(suffix); next !== null; next = following(next)) {
    if (!existsSync(base + next)) return hasGap(base, next) ? refuseGap(base + next) : paths;
    if (paths.length >= MAX_PIECES) throw new UsageError(`${base}${suffix}: has more than ${MAX_PIECES} pieces`);
    paths.push(base + next);
  }
  return paths;
}

/** 001 → 002, az → ba; null after the last of this length. */
function following(suffix: string): string | null {
  if (/^\d+$/.test(suffix)) {
    const next = String(Number(suffix) + 1);
    return next.length > suffix.length ? null : next.padStart(suffix.length, '0');
  }
  const last = suffix.at(-1) ?? 'z';
  const head = suffix.slice(0, -1);
  if (last !== 'z') return head + String.fromCharCode(last.charCodeAt(0) + 1);
  const carried = head === '' ? null : following(head);
  return carried === null ? null : `${carried}a`;
}

function hasGap(base: string, missing: string): boolean {
  const next = following(missing);
  return next !== null && existsSync(base + next);
}

function refuseGap(missing: string): never {
  throw new UsageError(`${missing}: this piece of a split image is not there`);
}

function assertWhole(path: string, pieces: readonly FileBytes[]): void {
  const size = pieces[0]?.size ?? 0;
  const odd = pieces.find(({ size: each }, index) => (index < pieces.length - 1 ? each !== size : each > size));
  if (odd === undefined) return;
  const what = `has ${odd.size} bytes, the first piece ${size}: either pieces are cut, or these are not pieces of one image`;
  throw new UsageError(`${path}: looks like the first piece of a split image, but ${odd.name} ${what}`);
}
