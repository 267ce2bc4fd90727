// Sizes and places on the host's disk as people and other programs write them.
//
// A quarantine report of backy (its QuarantineReport, one YAML document each) names the offset of a chunk that differs between
// the source and the backup, not its length: chunks are of 4 MiB, from the start of the image.

import { readFileSync, statSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { errorCode, UsageError } from '../errors.ts';
import type { ByteRange } from '../model.ts';
import { failureWords } from './trouble.ts';

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };
/** The smallest strip unit that arrays are made of in earnest, and the largest object of a Ceph image. */
const STRIPE_AT_LEAST = 16 * 2 ** 10;
const STRIPE_AT_MOST = 2 ** 30;
const SECTOR_BYTES = 512;

/** --stripe: `4M`, `512K`, `1G`, `1536KiB`, or bytes. */
export function parseStripe(text: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,12})\s?([KMG]?)(?:i?B)?$/i.exec(text) ?? [];
  const bytes = digits === '' ? Number.NaN : Number(digits) * (UNITS[unit.toUpperCase()] ?? Number.NaN);
  if (bytes >= STRIPE_AT_LEAST && bytes <= STRIPE_AT_MOST && bytes % SECTOR_BYTES === 0) return bytes;
  throw new UsageError(`--stripe: "${text}": expected a size from 16K to 1G in whole sectors, e.g. 4M or 512K`);
}

/** More than this is no list that somebody wrote, and would fill memory. */
const LIST_AT_MOST_BYTES = 64 * 2 ** 20;

/** Reads --suspect-extents. UsageError, naming the line, for what it does not understand. */
export function readSuspectExtents(file: string): ByteRange[] {
  return parseSuspectExtents(readList(file), file);
}

function readList(file: string): string {
  try {
    const { size } = statSync(file);
    if (size > LIST_AT_MOST_BYTES) throw new UsageError(`--suspect-extents ${file}: larger than 64 MiB`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === null) throw error;
    throw new UsageError(`--suspect-extents ${file}: ${failureWords(error)}`);
  }
}

/** In the order of the file, each once. `#` begins a comment; a heading `offset,length` is passed over. */
export function parseSuspectExtents(text: string, file: string): ByteRange[] {
  const found = isQuarantine(text) ? quarantined(text, file) : listed(text, file);
  if (found.length === 0) throw new UsageError(`--suspect-extents ${file}: names no extent`);
  return [...new Map(found.map(range => [`${range.offset},${range.length}`, range])).values()];
}

const HEADING = /^offset\s*,\s*length$/i;
const NUMBER = /^(?:\d{1,16}|0x[0-9a-f]{1,14})$/i;

function listed(text: string, file: string): ByteRange[] {
  return text.split('\n').flatMap((line, index) => {
    const words = line.replace(/#.*/, '').trim();
    if (words === '' || HEADING.test(words)) return [];
    const parts = words.split(',').map(part => part.trim());
    const [offset = Number.NaN, length = Number.NaN] = parts.map(part =>
      NUMBER.test(part) ? Number(part) : Number.NaN,
    );
    const isSound = parts.length === 2 && length > 0 && Number.isSafeInteger(offset + length);
    if (isSound) return [{ offset, length }];
    throw new UsageError(
      `${file}:${index + 1}: "${words}": expected OFFSET,LENGTH in bytes, decimal or 0x hexadecimal`,
    );
  });
}

const BACKY_CHUNK_BYTES = 4 * 2 ** 20;

function isQuarantine(text: string): boolean {
  return /^source_hash:/m.test(text) && /^offset:/m.test(text);
}

function quarantined(text: string, file: string): ByteRange[] {
  return parseAllDocuments(text, { prettyErrors: false }).map(document => {
    const [error] = document.errors;
    const start = error?.pos[0] ?? document.contents?.range?.[0] ?? 0;
    const at = `${file}:${text.slice(0, start).split('\n').length}`;
    if (error !== undefined) throw new UsageError(`${at}: no valid YAML: ${error.message}`);
    const report: unknown = document.toJS();
    const offset = typeof report === 'object' && report !== null && 'offset' in report ? report.offset : null;
    if (typeof offset === 'number' && Number.isSafeInteger(offset + BACKY_CHUNK_BYTES) && offset >= 0)
      return { offset, length: BACKY_CHUNK_BYTES };
    throw new UsageError(`${at}: a quarantine report without a whole offset`);
  });
}
