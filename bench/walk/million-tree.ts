// A tree of a million files of 0 to 4 KiB: 10 x 10 x 10 x 10 directories of 100 files each, the same at every making.

import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';

const FANOUT = 10;
const LEVELS = 4;
const FILES_A_DIRECTORY = 100;
const LARGEST_BYTES = 4096;

/** Files, directories and the root. */
export const MILLION_TREE_ENTRIES = FANOUT ** LEVELS * FILES_A_DIRECTORY + 1 + 10 + 100 + 1000 + 10_000;

/** Makes the tree unless it is there. It takes about a minute and 4.5 GB of disk. */
export function makeMillionTree(path: string): void {
  if (existsSync(path)) return;
  const unfinished = `${path}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  makeLevel(unfinished, LEVELS, 0);
  renameSync(unfinished, path);
}

/** @param first the number of the first directory of this level: what its files hold follows from it. */
function makeLevel(directory: string, levels: number, first: number): void {
  for (let index = 0; index < FANOUT; index++) {
    const below = `${directory}/d${index}`;
    const number = first * FANOUT + index;
    mkdirSync(below);
    if (levels > 1) makeLevel(below, levels - 1, number);
    else makeFiles(below, number);
  }
}

const content = Buffer.alloc(2 * LARGEST_BYTES, 'a million small files ');

function makeFiles(directory: string, number: number): void {
  for (let index = 0; index < FILES_A_DIRECTORY; index++) {
    const seed = number * FILES_A_DIRECTORY + index;
    const fd = openSync(`${directory}/file-${String(index).padStart(3, '0')}.txt`, 'wx');
    writeSync(fd, content, seed % LARGEST_BYTES, (seed * 2_654_435_761) % (LARGEST_BYTES + 1));
    closeSync(fd);
  }
}
