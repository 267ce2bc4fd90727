// Puts a report into a file so that there is always a whole one: written beside it, synced, then renamed over it. An earlier
// report survives a full disk and a killed process.

import { randomBytes } from 'node:crypto';
import { accessSync, constants, rmSync, type Stats, statSync } from 'node:fs';
import { type FileHandle, open, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode, UsageError } from '../errors.ts';
import { failureWords } from './trouble.ts';

/** UsageError, one line, when a report could not be written to `path`: better known before a scan than after it. */
export function assertReportCanBeWritten(path: string): void {
  const stats = statOrNull(path);
  if (stats?.isDirectory()) throw new UsageError(`cannot write the report ${path}: it is a directory`);
  try {
    if (stats === null || stats.isFile()) accessSync(dirname(path), constants.W_OK | constants.X_OK);
    if (stats !== null) accessSync(path, constants.W_OK);
  } catch (error) {
    throw new UsageError(`cannot write the report ${path}: ${failureWords(error)}`);
  }
}

function statOrNull(path: string): Stats | null {
  try {
    return statSync(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw new UsageError(`cannot write the report ${path}: ${failureWords(error)}`);
  }
}

/** Writes the chunks to `path`. UsageError when the system refuses; what stood there before then still stands. */
export async function writeReport(path: string, chunks: Iterable<string>): Promise<void> {
  const stats = statOrNull(path);
  if (stats !== null && !stats.isFile()) return await writeInto(path, chunks);
  await replace(path, stats === null ? path : await realpath(path), stats?.mode ?? null, chunks);
}

/** A pipe, a terminal, /dev/null: nothing to rename over. */
async function writeInto(path: string, chunks: Iterable<string>): Promise<void> {
  const handle = await refusing(path, () => open(path, constants.O_WRONLY));
  try {
    for (const chunk of chunks) await refusing(path, () => handle.appendFile(chunk));
  } finally {
    await handle.close();
  }
}

async function replace(path: string, place: string, mode: number | null, chunks: Iterable<string>): Promise<void> {
  const partial = join(dirname(place), `.lostwrite-${randomBytes(6).toString('hex')}.part`);
  const removeNow = (): void => rmSync(partial, { force: true });
  process.once('exit', removeNow);
  try {
    const handle = await refusing(path, () => open(partial, 'wx', 0o666));
    await fill(path, handle, mode, chunks);
    await refusing(path, () => rename(partial, place));
    await refusing(path, () => syncDirectory(dirname(place)));
  } finally {
    process.removeListener('exit', removeNow);
    await rm(partial, { force: true });
  }
}

async function fill(path: string, handle: FileHandle, mode: number | null, chunks: Iterable<string>): Promise<void> {
  try {
    if (mode !== null) await refusing(path, () => handle.chmod(mode & 0o777));
    for (const chunk of chunks) await refusing(path, () => handle.appendFile(chunk));
    await refusing(path, () => handle.sync());
  } finally {
    await handle.close();
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Only the system's own refusals become UsageErrors: what goes wrong while the chunks are made is another matter. */
async function refusing<Result>(path: string, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    throw new UsageError(`cannot write the report ${path}: ${failureWords(error)}`);
  }
}
