// The list and the digests of one package side by side, and whether they can be of one package at all: after a loss, the name
// of a file in `info` may lead to an older file or to another package's.

import type { BytePath } from '../../model.ts';
import type { DpkgDatabase, InfoFiles } from './database.ts';
import { leavesOf, parseFileList } from './file-list.ts';
import { parseSums, type SumLine } from './md5sums.ts';

export interface Manifest {
  readonly paths: readonly BytePath[];
  readonly sums: readonly SumLine[];
  /**
   * sound: the list is whole; digests that it does not name are of files which other packages took over.
   * holed: lines or all of the list are lost; the digests still say what there is.
   * misfit: most digests are of paths that the list does not name, and what is whole of the list is not what has digests;
   * one of the two is not this package's.
   */
  readonly state: 'sound' | 'holed' | 'misfit';
  /** Digests of paths that the list does not name. */
  readonly unlisted: readonly SumLine[];
}

export const LIST_CODE = 'dpkg-list';
const SUMS_CODE = 'dpkg-md5sums';
const NO_FILES: Manifest = { paths: [], sums: [], state: 'holed', unlisted: [] };

/** Tells the database's troubles of each broken line. */
export function readManifest(database: DpkgDatabase, files: InfoFiles | null): Manifest {
  if (files === null) return NO_FILES;
  const { paths, isWhole } = readList(database, files);
  const sums = readSums(database, files);
  const listed = new Set(paths);
  const unlisted = sums.filter(sum => sum.sound && !listed.has(sum.path));
  const isMisfit = unlisted.length * 2 > sums.length && (isWhole || isForeign(paths, sums));
  return { paths, sums, unlisted, state: isMisfit ? 'misfit' : isWhole ? 'sound' : 'holed' };
}

/** What is left of a list names things of its own: of its paths with nothing below them, most have no digest. */
function isForeign(paths: readonly BytePath[], sums: readonly SumLine[]): boolean {
  const digested = new Set(sums.map(sum => sum.path));
  const leaves = leavesOf(paths);
  return leaves.filter(path => digested.has(path)).length * 2 < leaves.length;
}

function readList(database: DpkgDatabase, { list }: InfoFiles): { paths: BytePath[]; isWhole: boolean } {
  const bytes = list === null ? null : database.read(list);
  if (list === null || bytes === null) return { paths: [], isWhole: false };
  const report = database.reporter(list.path, LIST_CODE);
  let isWhole = true;
  const paths = parseFileList(bytes, (line, message) => {
    isWhole = false;
    report(line, message);
  });
  return { paths: [...paths], isWhole };
}

function readSums(database: DpkgDatabase, { md5sums }: InfoFiles): SumLine[] {
  const bytes = md5sums === null ? null : database.read(md5sums);
  if (md5sums === null || bytes === null) return [];
  return [...parseSums(bytes, database.reporter(md5sums.path, SUMS_CODE))];
}
