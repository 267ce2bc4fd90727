// The files of a sweep: reports that are always whole, and what stands beside them until all is done.

import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode, UsageError, wordsOfCode } from '../errors.ts';

/** No target's report is called so: names that begin with _ are written otherwise. */
export const SUMMARY_FILE = '_sweep.json';
const HIDDEN = '.lostwrite-sweep';
/** File names have at most 255 bytes. */
const LONGEST_NAME = 200;

/** Where a sweep puts what. `key` is a target's, hex. */
export class SweepPlaces {
  readonly directory: string;
  readonly state: string;
  readonly #hidden: string;

  /** UsageError when the directory cannot be made. */
  constructor(directory: string) {
    this.directory = directory;
    this.#hidden = join(directory, HIDDEN);
    this.state = join(this.#hidden, 'state.db');
    try {
      mkdirSync(this.#hidden, { recursive: true });
    } catch (error) {
      throw refusal(directory, error);
    }
  }

  /** Where a scan keeps what it has read, so that a killed one goes on. */
  records(key: string): string {
    return join(this.#hidden, `${key}.db`);
  }

  /** A report that was written and is not yet counted as done. */
  staged(key: string): string {
    return join(this.#hidden, `${key}.json`);
  }

  report(file: string): string {
    return join(this.directory, file);
  }

  /** Removes a target's records, and a report that does not count. */
  forget(key: string): void {
    for (const name of readdirSync(this.#hidden)) {
      if (name.startsWith(`${key}.`)) rmSync(join(this.#hidden, name), { force: true });
    }
  }

  /** Forgets every target but these: what a killed sweep left of states that are no longer asked for. */
  forgetOthers(keys: ReadonlySet<string>): void {
    for (const name of readdirSync(this.#hidden)) {
      const key = /^([0-9a-f]{32})\./.exec(name)?.[1];
      if (key !== undefined && !keys.has(key)) rmSync(join(this.#hidden, name), { force: true });
    }
  }
}

/** Letters, digits and a few marks stand for themselves; all else is written as %XX of its UTF-8. Different names differ. */
export function reportFileOf(name: string, key: string): string {
  const safe = Array.from(Buffer.from(name, 'utf8'), (byte, at) => {
    const character = String.fromCharCode(byte);
    const plain = at === 0 ? /[A-Za-z0-9]/ : /[A-Za-z0-9._@+-]/;
    return plain.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
  return safe.length <= LONGEST_NAME ? `${safe}.json` : `${safe.slice(0, LONGEST_NAME)}%${key.slice(0, 16)}.json`;
}

/** Writes the chunks to a file of their own and makes them durable. UsageError when the system refuses. */
export async function writeSynced(path: string, chunks: Iterable<string>): Promise<void> {
  const handle = await refusing(path, () => open(path, 'w', 0o666));
  try {
    await fill(path, handle, chunks);
  } finally {
    await handle.close();
  }
}

async function fill(path: string, handle: FileHandle, chunks: Iterable<string>): Promise<void> {
  for (const chunk of chunks) await refusing(path, () => handle.appendFile(chunk));
  await refusing(path, () => handle.sync());
}

/** Puts a synced file into its place, durably. UsageError when the system refuses. */
export async function putInPlace(from: string, to: string): Promise<void> {
  await refusing(to, () => rename(from, to));
  const directory = await refusing(to, () => open(dirname(to), 'r'));
  try {
    await refusing(to, () => directory.sync());
  } finally {
    await directory.close();
  }
}

export function isThere(path: string): boolean {
  return existsSync(path);
}

/** Only the system's own refusals become UsageErrors: what goes wrong while the chunks are made is another matter. */
async function refusing<Result>(path: string, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    throw refusal(path, error);
  }
}

function refusal(path: string, error: unknown): unknown {
  const code = errorCode(error);
  return code === null ? error : new UsageError(`cannot write ${path}: ${wordsOfCode(code)}`);
}
