// How work and its results cross threads: columns of numbers and joined text, no object per file.

import type { Entry } from '../src/filesystems/filesystem.ts';
import type {
  BytePath,
  ByteRange,
  ContentSeen,
  DigestAlgorithm,
  Digests,
  Fault,
  Observation,
  Stat,
} from '../src/model.ts';
import { DIGEST_ALGORITHMS } from '../src/model.ts';

/** One file to read, and what is wanted of it. */
export interface ContentJob {
  readonly path: BytePath;
  readonly stat: Stat;
  readonly device: bigint;
  readonly algorithms: readonly DigestAlgorithm[];
  readonly blocks: boolean;
  /** Digests (hex) that are expected: nothing more is told of content that has one (block hashes for `sha256`, the LF form for git's). */
  readonly known: readonly string[];
}

/** ContentJobs of one batch. Paths are joined by NUL, which no path holds. */
export interface ContentBatch {
  readonly paths: string;
  readonly known: string;
  readonly wanted: Uint8Array<ArrayBuffer>;
  readonly longs: BigInt64Array<ArrayBuffer>;
  readonly sizes: Float64Array<ArrayBuffer>;
}

const LONGS = 4;
const WANTS_BLOCKS = 0x80;

export function packJobs(jobs: readonly ContentJob[]): ContentBatch {
  const batch: ContentBatch = {
    paths: jobs.map(job => job.path).join('\0'),
    known: jobs.map(job => job.known.join(' ')).join('\0'),
    wanted: new Uint8Array(jobs.length),
    longs: new BigInt64Array(jobs.length * LONGS),
    sizes: new Float64Array(jobs.length),
  };
  jobs.forEach((job, index) => {
    batch.wanted[index] = maskOf(job.algorithms) + (job.blocks ? WANTS_BLOCKS : 0);
    batch.longs.set([job.stat.inode, job.device, job.stat.mtimeNs, job.stat.ctimeNs], index * LONGS);
    batch.sizes[index] = job.stat.sizeBytes;
  });
  return batch;
}

/** A job as the worker needs it: enough of the inode to know the file again. */
export interface UnpackedJob {
  readonly index: number;
  readonly entry: Entry;
  readonly algorithms: readonly DigestAlgorithm[];
  readonly blocks: boolean;
  readonly known: readonly string[];
}

export function unpackJobs(batch: ContentBatch): UnpackedJob[] {
  const known = batch.known.split('\0');
  return batch.paths.split('\0').map((path, index) => {
    const wanted = batch.wanted[index] ?? 0;
    const digests = known[index] ?? '';
    return {
      index,
      entry: unpackEntry(batch, path, index),
      algorithms: DIGEST_ALGORITHMS.filter((_, bit) => wanted & (1 << bit)),
      blocks: (wanted & WANTS_BLOCKS) !== 0,
      known: digests === '' ? [] : digests.split(' '),
    };
  });
}

function unpackEntry(batch: ContentBatch, path: BytePath, index: number): Entry {
  const long = (column: number): bigint => batch.longs[index * LONGS + column] ?? 0n;
  const stat: Stat = {
    type: 'file',
    mode: 0,
    uid: 0,
    gid: 0,
    sizeBytes: batch.sizes[index] ?? 0,
    links: 1,
    inode: BigInt.asUintN(64, long(0)),
    generation: null,
    mtimeNs: long(2),
    ctimeNs: long(3),
    crtimeNs: null,
    blocks512: null,
  };
  return { path, stat, direntType: 'file', device: BigInt.asUintN(64, long(1)), mountPoint: false };
}

function maskOf(algorithms: readonly DigestAlgorithm[]): number {
  return algorithms.reduce((mask, algorithm) => mask + (1 << DIGEST_ALGORITHMS.indexOf(algorithm)), 0);
}

/** What reading one file gave. */
export interface ContentResult {
  readonly content: ContentSeen;
  /** The inode as it was after reading, when it differs from the listing's. */
  readonly stat: Stat | null;
  readonly observations: readonly Observation[];
}

const STATES: readonly ContentSeen['state'][] = ['read', 'changing', 'unreadable', 'skipped'];
const HEAD_BYTES = 20;

/** The rarer parts of a result, as JSON. */
interface Extras {
  readonly unreadable?: readonly ByteRange[];
  readonly fault?: Fault | null;
  readonly stat?: StatText | null;
  readonly observations?: readonly Observation[];
}
type StatText = Omit<Stat, 'inode' | 'mtimeNs' | 'ctimeNs' | 'crtimeNs'> &
  Record<'inode' | 'mtimeNs' | 'ctimeNs', string> & { readonly crtimeNs: string | null };

/** Packs a batch's results, in the jobs' order. */
export function packResults(results: readonly ContentResult[]): Uint8Array<ArrayBuffer> {
  const pieces = results.flatMap(packResult);
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

function packResult(result: ContentResult): Uint8Array[] {
  const { content } = result;
  const extras = extrasOf(result);
  const text = extras === null ? Buffer.alloc(0) : Buffer.from(JSON.stringify(extras), 'utf8');
  const digests = DIGEST_ALGORITHMS.map(algorithm => Buffer.from(content.digests[algorithm] ?? '', 'hex'));
  const head = Buffer.alloc(HEAD_BYTES);
  head[0] = STATES.indexOf(content.state);
  head[1] = content.blocks === null ? 0 : 1;
  head[2] = maskOf(DIGEST_ALGORITHMS.filter(algorithm => content.digests[algorithm] !== undefined));
  head.writeDoubleLE(content.sizeBytes, 4);
  head.writeUInt32LE(text.length, 12);
  head.writeUInt32LE((content.blocks?.length ?? 0) / 8, 16);
  return [head, ...digests, text, content.blocks ?? Buffer.alloc(0)];
}

function extrasOf(result: ContentResult): Extras | null {
  const { content, stat, observations } = result;
  if (content.unreadable.length === 0 && content.fault === null && stat === null && observations.length === 0)
    return null;
  return { unreadable: content.unreadable, fault: content.fault, stat: stat && textOfStat(stat), observations };
}

function textOfStat(stat: Stat): StatText {
  return {
    ...stat,
    inode: String(stat.inode),
    mtimeNs: String(stat.mtimeNs),
    ctimeNs: String(stat.ctimeNs),
    crtimeNs: stat.crtimeNs === null ? null : String(stat.crtimeNs),
  };
}

function statOfText(text: StatText): Stat {
  return {
    ...text,
    inode: BigInt(text.inode),
    mtimeNs: BigInt(text.mtimeNs),
    ctimeNs: BigInt(text.ctimeNs),
    crtimeNs: text.crtimeNs === null ? null : BigInt(text.crtimeNs),
  };
}

const DIGEST_BYTES: Readonly<Record<DigestAlgorithm, number>> = {
  md5: 16,
  sha1: 20,
  sha256: 32,
  'git-sha1': 20,
  'git-sha256': 32,
  'git-sha1-lf': 20,
  'git-sha256-lf': 32,
};

/** Unpacks a batch's results, in the jobs' order. */
export function* unpackResults(bytes: Uint8Array): Iterable<ContentResult> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < buffer.length; ) {
    const digestsAt = at + HEAD_BYTES;
    const { digests, end } = readDigests(buffer, digestsAt, buffer[at + 2] ?? 0);
    const textEnd = end + buffer.readUInt32LE(at + 12);
    const blocksEnd = textEnd + buffer.readUInt32LE(at + 16) * 8;
    const extras: Extras = textEnd === end ? {} : JSON.parse(buffer.toString('utf8', end, textEnd));
    const content: ContentSeen = {
      state: STATES[buffer[at] ?? 0] ?? 'skipped',
      sizeBytes: buffer.readDoubleLE(at + 4),
      digests,
      blocks: buffer[at + 1] === 1 ? Uint8Array.from(buffer.subarray(textEnd, blocksEnd)) : null,
      unreadable: extras.unreadable ?? [],
      fault: extras.fault ?? null,
    };
    const stat = extras.stat ? statOfText(extras.stat) : null;
    yield { content, stat, observations: extras.observations ?? [] };
    at = blocksEnd;
  }
}

function readDigests(buffer: Buffer, from: number, mask: number): { digests: Digests; end: number } {
  const digests: Digests = {};
  let end = from;
  DIGEST_ALGORITHMS.forEach((algorithm, bit) => {
    if ((mask & (1 << bit)) === 0) return;
    digests[algorithm] = buffer.toString('hex', end, end + DIGEST_BYTES[algorithm]);
    end += DIGEST_BYTES[algorithm];
  });
  return { digests, end };
}
