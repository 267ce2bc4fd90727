// The rows of pieces of block maps. A piece that differs little from one that is there is kept as that difference, and so
// on: a chain. Chains are short-cut, so that one of a thousand differences is read in about sixty steps.

import { crc32 } from 'node:zlib';
import type { Connection, Statement } from './connection.ts';
import { Packer } from './packing.ts';
import type { PieceCoding } from './piece-coding.ts';
import { damagedStore } from './store-failure.ts';

/** A difference at a multiple of this is from the piece so many before it, not from the one before; so with its powers. */
const SHORT_CUT = 32;
/** A difference must be so much shorter than the whole to be worth a chain. */
const WORTH = 0.5;
/** What a row costs beside its bytes. */
const ROW_BYTES = 16;

type PieceRow = [base: number | null, position: number, crc: number, coded: Buffer];

interface ChainLink {
  readonly id: number;
  readonly base: number | null;
  readonly position: number;
  readonly crc: number;
  readonly coded: Buffer;
}

/** A piece as a map names it. */
export interface NamedPiece {
  readonly id: number;
  readonly crc: number;
  /** What it took in the store; 0 when it was there. */
  readonly addedBytes: number;
}

/** A piece that may be written: what it is told by, and as what. */
interface Draft {
  readonly base: ChainLink | null;
  readonly position: number;
  readonly coded: Buffer;
}

export class MapPieces {
  readonly #connection: Connection;
  readonly #row: Statement<PieceRow>;
  readonly #base: Statement<[base: number | null]>;
  readonly #insert: Statement<[id: number]>;
  readonly #remove: Statement<[]>;
  readonly #packer = new Packer();

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#row = connection.prepare('SELECT base, position, crc, coded FROM map_piece WHERE id = ?');
    this.#base = connection.prepare('SELECT base FROM map_piece WHERE id = ?');
    this.#insert = connection.prepare(
      'INSERT INTO map_piece (base, position, crc, coded) VALUES (?, ?, ?, ?) RETURNING id',
    );
    this.#remove = connection.prepare('DELETE FROM map_piece WHERE id = ?');
  }

  /** What a piece holds. UsageError where it, or one that it differs from, is not there or damaged; DamageError. */
  content<Content>(id: number, coding: PieceCoding<Content>): { readonly content: Content; readonly crc: number } {
    const chain = this.#chain(id);
    return { content: contentOf(chain, coding), crc: chain.at(-1)?.crc ?? 0 };
  }

  /**
   * The piece with this content: one of `known` if it is the same, else a new one, told by whatever is shortest. Null for an
   * empty one. Call it within a write. Throws like `content`.
   */
  keep<Content>(content: Content, coding: PieceCoding<Content>, known: readonly number[]): NamedPiece | null {
    const full = this.#packed(coding, content, coding.empty());
    if (full.length === 0) return null;
    let best: Draft = { base: null, position: 0, coded: full };
    for (const id of known) {
      const draft = this.#difference(this.#chain(id), coding, content);
      if (draft.base !== null && draft.coded.length === 0) return { ...draft.base, addedBytes: 0 };
      if (draft.coded.length < Math.min(best.coded.length, full.length * WORTH)) best = draft;
    }
    return this.#add(best);
  }

  /** The pieces that `ids` are told by, themselves included. */
  needed(ids: Iterable<number>): Set<number> {
    const needed = new Set<number>();
    for (const first of ids) {
      for (let id: number | null = first; id !== null && !needed.has(id); id = this.#base.get(id)?.[0] ?? null) {
        needed.add(id);
      }
    }
    return needed;
  }

  /** Call it within a write. */
  remove(id: number): void {
    this.#remove.run(id);
  }

  #packed<Content>(coding: PieceCoding<Content>, content: Content, base: Content): Buffer {
    this.#packer.clear();
    coding.pack(this.#packer, content, base);
    return Buffer.from(this.#packer.view());
  }

  /** From the last of a chain where it is the same, else from the one that a short cut leads to. */
  #difference<Content>(chain: readonly ChainLink[], coding: PieceCoding<Content>, content: Content): Draft {
    const position = (chain.at(-1)?.position ?? 0) + 1;
    const of = (links: readonly ChainLink[]): Draft => {
      const coded = this.#packed(coding, content, contentOf(links, coding));
      return { base: links.at(-1) ?? null, position, coded };
    };
    const fromLast = of(chain);
    const links = shortCut(chain, position);
    return fromLast.coded.length === 0 || links.length === chain.length ? fromLast : of(links);
  }

  #add({ base, position, coded }: Draft): NamedPiece {
    const crc = crc32(coded, base?.crc ?? 0);
    const added = this.#insert.get(base?.id ?? null, position, crc, coded);
    if (added === undefined) throw new Error('INSERT RETURNING gave no row');
    return { id: added[0], crc, addedBytes: coded.length + ROW_BYTES };
  }

  /** From the full one to the piece asked for. Positions fall from each to its base, so that there is an end. */
  #chain(id: number): ChainLink[] {
    const chain: ChainLink[] = [];
    for (let next: number | null = id; next !== null; ) {
      const row = this.#row.get(next);
      if (row === undefined) throw this.#damage(next, 'is not there');
      const [base, position, crc, coded] = row;
      if (position >= (chain[0]?.position ?? Number.MAX_SAFE_INTEGER) || position < 0) {
        throw this.#damage(next, 'is a difference from itself');
      }
      chain.unshift({ id: next, base, position, crc, coded });
      next = base;
    }
    this.#check(chain);
    return chain;
  }

  #check(chain: readonly ChainLink[]): void {
    let before = 0;
    for (const { id, crc, coded } of chain) {
      if (crc32(coded, before) !== crc) throw this.#damage(id, 'fails its checksum');
      before = crc;
    }
  }

  #damage(id: number, detail: string): Error {
    return damagedStore(this.#connection.path, `piece ${id} of a block map ${detail}`);
  }
}

function contentOf<Content>(chain: readonly ChainLink[], coding: PieceCoding<Content>): Content {
  return chain.reduce((content, { coded }) => coding.apply(coded, content), coding.empty());
}

/** The part of a chain that the difference at `position` goes to: all of it, or less. */
function shortCut(chain: readonly ChainLink[], position: number): readonly ChainLink[] {
  let step = 1;
  while (position % (step * SHORT_CUT) === 0) step *= SHORT_CUT;
  const last = chain.findLastIndex(link => link.position <= position - step);
  return chain.slice(0, last + 1);
}
