// Block lists that are too long for an entry: one per content, found by its digest, kept while an entry names it.

import { crc32 } from 'node:zlib';
import type { Connection, Statement } from './connection.ts';
import { damagedStore } from './store-failure.ts';

/** Coded bytes a row: 32,768 hashes, or 128 MiB of a file. */
const ROW_BYTES = 256 * 1024;

export class Contents {
  readonly #connection: Connection;
  readonly #byDigest: Statement<[id: number]>;
  readonly #byId: Statement<[sha256: Buffer, codedBytes: number]>;
  readonly #add: Statement<[id: number]>;
  readonly #addBlocks: Statement<[]>;
  readonly #blocks: Statement<[crc: number, coded: Buffer]>;
  readonly #isUsed: Statement<[number]>;
  readonly #remove: Statement<[]>;
  readonly #removeBlocks: Statement<[]>;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#byDigest = connection.prepare('SELECT id FROM content WHERE sha256 = ?');
    this.#byId = connection.prepare('SELECT sha256, coded_bytes FROM content WHERE id = ?');
    this.#add = connection.prepare('INSERT INTO content (sha256, coded_bytes) VALUES (?, ?) RETURNING id');
    this.#addBlocks = connection.prepare(
      'INSERT INTO content_blocks (content, position, crc, coded) VALUES (?, ?, ?, ?)',
    );
    this.#blocks = connection.prepare('SELECT crc, coded FROM content_blocks WHERE content = ? AND position = ?');
    this.#isUsed = connection.prepare('SELECT 1 FROM entry WHERE content = ? LIMIT 1');
    this.#remove = connection.prepare('DELETE FROM content WHERE id = ?');
    this.#removeBlocks = connection.prepare('DELETE FROM content_blocks WHERE content = ?');
  }

  /** The id of the content with this digest, which is added if it is not there. Call it within a write. */
  idOf(sha256: Uint8Array, coded: Buffer): number {
    const known = this.#byDigest.get(sha256);
    if (known !== undefined) return known[0];
    const added = this.#add.get(sha256, coded.length);
    if (added === undefined) throw new Error('INSERT RETURNING gave no row');
    for (let at = 0, position = 0; at < coded.length; at += ROW_BYTES, position++) {
      const part = coded.subarray(at, at + ROW_BYTES);
      this.#addBlocks.run(added[0], position, crc32(part), part);
    }
    return added[0];
  }

  /** The coded block list of a content. UsageError when it is not that of `sha256` (hex), or damaged. */
  coded(id: number, sha256: string): Buffer {
    const row = this.#byId.get(id);
    if (row === undefined) throw this.#damage(sha256, 'is not there');
    if (row[0].toString('hex') !== sha256) throw this.#damage(sha256, 'is that of another content');
    const parts: Buffer[] = [];
    for (let left = row[1]; left > 0; left -= ROW_BYTES) parts.push(this.#part(id, parts.length, sha256));
    const coded = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
    if (coded.length !== row[1]) throw this.#damage(sha256, `has ${coded.length} bytes instead of ${row[1]}`);
    return coded;
  }

  /** Removes those that no entry names any more. Call it within a write. */
  removeUnused(ids: Iterable<number>): void {
    for (const id of ids) {
      if (this.#isUsed.get(id) !== undefined) continue;
      this.#removeBlocks.run(id);
      this.#remove.run(id);
    }
  }

  #part(id: number, position: number, sha256: string): Buffer {
    const row = this.#blocks.get(id, position);
    if (row === undefined) throw this.#damage(sha256, `lacks part ${position}`);
    if (crc32(row[1]) !== row[0]) throw this.#damage(sha256, `fails its checksum in part ${position}`);
    return row[1];
  }

  #damage(sha256: string, detail: string): Error {
    return damagedStore(this.#connection.path, `the block list of ${sha256} ${detail}`);
  }
}
