// The id that git gives to a file's bytes: the SHA-1 or SHA-256 of "blob SIZE NUL" and the bytes (gitformat-loose(5)). Git may store
// text with LF that stands with CRLF in the working tree (core.autocrlf, the attributes text and eol): that form has an id as well.
// Knows nothing of what filters, ident or working-tree-encoding make of a file.

import { createHash, type Hash } from 'node:crypto';
import type { ByteSource } from '../bytes/byte-source.ts';
import type { DigestAlgorithm, Digests } from '../model.ts';

type BlobAlgorithm = 'git-sha1' | 'git-sha256';

const HASHES = { 'git-sha1': 'sha1', 'git-sha256': 'sha256' } as const;
const LF_FORMS = { 'git-sha1': 'git-sha1-lf', 'git-sha256': 'git-sha256-lf' } as const;

export function isBlobAlgorithm(algorithm: DigestAlgorithm): algorithm is BlobAlgorithm {
  return algorithm in HASHES;
}

/** Of bytes that are all there. @param known ids that are expected. */
export function blobDigests(algorithm: BlobAlgorithm, bytes: Uint8Array, known: readonly string[]): Digests {
  const id = startBlob(algorithm, bytes.length).update(bytes).digest('hex');
  if (known.includes(id)) return { [algorithm]: id };
  const converted = withLf(bytes);
  if (converted === bytes) return { [algorithm]: id };
  const lfId = startBlob(algorithm, converted.length).update(converted).digest('hex');
  return { [algorithm]: id, [LF_FORMS[algorithm]]: lfId };
}

/** The same of a file that is read in chunks. Its size stands before its bytes, so that of a file that changes nothing comes out. */
export class BlobHash {
  readonly #algorithm: BlobAlgorithm;
  readonly #file: ByteSource;
  readonly #sizeBytes: number;
  readonly #hash: Hash;
  readonly #lineEnds = new LineEnds();
  #count = 0;
  #lfCount = 0;

  constructor(algorithm: BlobAlgorithm, file: ByteSource) {
    this.#algorithm = algorithm;
    this.#file = file;
    this.#sizeBytes = file.size;
    this.#hash = startBlob(algorithm, file.size);
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#count += bytes.length;
    this.#lfCount += this.#lineEnds.push(bytes).length;
  }

  /**
   * Reads the file once more where the LF form is wanted: its size is known only by now. Throws as reading does.
   * @param buffer reused.
   */
  finish(buffer: Uint8Array, known: readonly string[]): Digests {
    if (this.#count !== this.#sizeBytes) return {};
    const id = this.#hash.digest('hex');
    const lfBytes = this.#lfCount + this.#lineEnds.end().length;
    if (lfBytes === this.#count || known.includes(id)) return { [this.#algorithm]: id };
    const lfId = this.#lfForm(lfBytes, buffer);
    return lfId === null ? {} : { [this.#algorithm]: id, [LF_FORMS[this.#algorithm]]: lfId };
  }

  /** Null when the file has changed meanwhile. */
  #lfForm(sizeBytes: number, buffer: Uint8Array): string | null {
    const hash = startBlob(this.#algorithm, sizeBytes);
    const lineEnds = new LineEnds();
    let at = 0;
    for (let count = -1; count !== 0; at += count) {
      count = this.#file.read(buffer, at);
      hash.update(lineEnds.push(buffer.subarray(0, count)));
    }
    return at === this.#sizeBytes ? hash.update(lineEnds.end()).digest('hex') : null;
  }
}

function startBlob(algorithm: BlobAlgorithm, sizeBytes: number): Hash {
  return createHash(HASHES[algorithm]).update(`blob ${sizeBytes}\0`);
}

const CR = 0x0d;
const CRLF = Buffer.from('\r\n', 'latin1');

/** CRLF as LF over chunks: a CR at the end of one waits for the next. */
class LineEnds {
  #holdsCr = false;

  push(chunk: Uint8Array): Uint8Array {
    const bytes = this.#holdsCr ? Buffer.concat([CRLF.subarray(0, 1), chunk]) : chunk;
    this.#holdsCr = bytes.at(-1) === CR;
    return withLf(this.#holdsCr ? bytes.subarray(0, -1) : bytes);
  }

  end(): Uint8Array {
    return this.#holdsCr ? CRLF.subarray(0, 1) : CRLF.subarray(0, 0);
  }
}

/** The bytes themselves where there is no CRLF. */
function withLf(bytes: Uint8Array): Uint8Array {
  const from = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let found = from.indexOf(CRLF);
  if (found === -1) return bytes;
  const into = Buffer.allocUnsafe(bytes.length);
  let end = 0;
  let start = 0;
  for (; found !== -1; found = from.indexOf(CRLF, start)) {
    end += from.copy(into, end, start, found);
    start = found + 1;
  }
  end += from.copy(into, end, start);
  return into.subarray(0, end);
}
