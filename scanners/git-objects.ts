// Git's loose objects carry their own digest as their name: zlib over "type size NUL content", named by the SHA-1 or SHA-256
// of what is inflated (gitformat-loose(5)). So each vouches for itself, without any reference. Knows nothing of packs.

import { createHash } from 'node:crypto';
import { constants, inflateSync } from 'node:zlib';
import type { ByteSource } from '../src/bytes/byte-source.ts';
import { errorCode } from '../src/errors.ts';
import type { BytePath, ByteRange, Observation, Stat } from '../src/model.ts';
import type { StructureScanner } from './scanner.ts';
import { readWhole } from './whole-file.ts';

const NAME = 'git-objects';
const LOOSE_OBJECT = /(?:^|\/)objects\/([0-9a-f]{2})\/([0-9a-f]{38}|[0-9a-f]{62})$/;
/** Inflated bytes beyond which nothing is said: git itself streams blobs of that order (core.bigFileThreshold, 512 MiB). */
const LARGEST_INFLATED_BYTES = 64 * 1024 * 1024;
/** Stored blocks add five bytes in 16 KiB at worst (RFC 1951, 3.2.4; zlib's smallest buffer). */
const LARGEST_FILE_BYTES = LARGEST_INFLATED_BYTES + LARGEST_INFLATED_BYTES / 1024;
/** Longer than any header: "commit ", twenty digits, NUL. */
const HEADER_BYTES = 32;
/** As much of a file as surely holds the start of its stream's text. */
const FIRST_BYTES = 4096;
const HEADER = /^(blob|tree|commit|tag) (0|[1-9][0-9]{0,19})\0/;

export const GIT_OBJECTS: StructureScanner = {
  name: NAME,

  wants(path: BytePath, stat: Stat): boolean {
    return stat.type === 'file' && stat.sizeBytes <= LARGEST_FILE_BYTES && LOOSE_OBJECT.test(path);
  },

  *inspect(path: BytePath, _stat: Stat, bytes: ByteSource): Iterable<Observation> {
    const [, shard, rest] = LOOSE_OBJECT.exec(path) ?? [];
    if (shard === undefined || rest === undefined || bytes.size > LARGEST_FILE_BYTES) return;
    const content = readWhole(bytes);
    const judged = content === null ? null : judgeObject(path, shard + rest, content);
    if (judged === null) return;
    const { fault, ranges } = judged;
    const rule = fault === null ? 'object-name-matches' : 'object-name-differs';
    const detail = fault ?? 'The content has the digest that the object is named by.';
    yield { scanner: NAME, rule, path, supports: fault !== null, detail, ranges };
  },
};

interface Judged {
  /** One sentence; null when the object is right. */
  readonly fault: string | null;
  readonly ranges: readonly ByteRange[];
}

/** Null: nothing can be said (too large inflated, or another program's file of such a name). */
function judgeObject(path: BytePath, name: string, bytes: Buffer): Judged | null {
  const inflated = inflate(bytes);
  if (inflated.state === 'too large') return null;
  if (inflated.state === 'broken') {
    if (!isCertainlyGits(path, name) && !startsLikeAnObject(bytes)) return null;
    return { fault: `The object's compressed stream is broken: ${inflated.message}.`, ranges: [] };
  }
  const digest = digestOf(inflated.content, name);
  const headerFault = faultOfHeader(inflated.content);
  if (digest !== name) {
    if (headerFault !== null && !isCertainlyGits(path, name)) return null;
    return { fault: faultOfDigest(digest, headerFault), ranges: [] };
  }
  if (inflated.streamBytes === bytes.length) return { fault: null, ranges: [] };
  const tail = { offset: inflated.streamBytes, length: bytes.length - inflated.streamBytes };
  return { fault: `After the end of the object stand ${tail.length} bytes that are none of it.`, ranges: [tail] };
}

function faultOfDigest(digest: string, headerFault: string | null): string {
  if (headerFault === null) return `The content is that of another object, ${digest}.`;
  return `The content has the digest ${digest}, and ${headerFault}.`;
}

function faultOfHeader(content: Buffer): string | null {
  const header = HEADER.exec(content.toString('latin1', 0, HEADER_BYTES));
  if (header === null) return 'does not begin as an object does';
  const [whole, , claimed] = header;
  const length = content.length - whole.length;
  return claimed === String(length) ? null : `is ${length} bytes long where its header says ${claimed}`;
}

/** Other stores shard SHA-256 names alike, with their own bytes in the files; 38 digits are git's alone. */
function isCertainlyGits(path: BytePath, name: string): boolean {
  return name.length === 40 || /\.git\/(?:.*\/)?objects\//.test(path);
}

function startsLikeAnObject(bytes: Buffer): boolean {
  const start = inflate(bytes.subarray(0, FIRST_BYTES), constants.Z_SYNC_FLUSH);
  return start.state === 'whole' && HEADER.test(start.content.toString('latin1', 0, HEADER_BYTES));
}

type Inflated =
  | { readonly state: 'whole'; readonly content: Buffer; readonly streamBytes: number }
  | { readonly state: 'broken'; readonly message: string }
  | { readonly state: 'too large' };

const STREAM_FAULTS = new Set(['Z_DATA_ERROR', 'Z_BUF_ERROR', 'Z_NEED_DICT']);

function inflate(bytes: Buffer, finishFlush: number = constants.Z_FINISH): Inflated {
  try {
    const result: unknown = inflateSync(bytes, { info: true, maxOutputLength: LARGEST_INFLATED_BYTES, finishFlush });
    if (!isInflateResult(result)) throw new TypeError('inflateSync gave no engine');
    return { state: 'whole', content: result.buffer, streamBytes: result.engine.bytesWritten };
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ERR_BUFFER_TOO_LARGE') return { state: 'too large' };
    if (error instanceof Error && STREAM_FAULTS.has(code ?? '')) return { state: 'broken', message: error.message };
    throw error;
  }
}

/** What the option `info` makes of the result; the type declarations do not know. */
function isInflateResult(result: unknown): result is { buffer: Buffer; engine: { bytesWritten: number } } {
  return typeof result === 'object' && result !== null && 'buffer' in result && 'engine' in result;
}

function digestOf(content: Buffer, name: string): string {
  return createHash(name.length === 40 ? 'sha1' : 'sha256')
    .update(content)
    .digest('hex');
}
