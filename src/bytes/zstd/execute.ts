// Carries out the sequences of a zstd block. Every copy is checked against what there is before it is made.

import { broken } from './bits.ts';
import type { Literals } from './literals.ts';

/** Where a block's output goes: frameStart <= at <= end of `bytes`; distances reach back to frameStart. */
export interface Output {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly frameStart: number;
  at: number;
}

/** From this length on the engine's own block copy beats a loop. */
const LONG = 64;

/** @param sequences literals, match and distance of each. What is left of the literals follows. Throws DamageError. */
export function executeSequences(sequences: Int32Array, literals: Literals, output: Output, place: number): void {
  const { bytes, frameStart } = output;
  const end = bytes.length;
  const literalsEnd = literals.start + literals.length;
  let from = literals.start;
  let { at } = output;
  for (let index = 0; index < sequences.length; index += 3) {
    const count = sequences[index] as number;
    const match = sequences[index + 1] as number;
    const distance = sequences[index + 2] as number;
    if (from + count > literalsEnd) throw broken(place, 'a sequence beyond the literals', literals.length);
    if (at + count + match > end) throw tooMuch(place, output);
    copy(literals.view, from, output, at, count);
    from += count;
    at += count;
    const reach = at - frameStart;
    if (distance > reach || distance < 1) throw broken(place, `a distance of ${distance}`, `1 to ${reach}`);
    if (distance >= 4) copy(output.view, at - distance, output, at, match);
    else repeat(bytes, at, distance, match);
    at += match;
  }
  if (at + literalsEnd - from > end) throw tooMuch(place, output);
  copy(literals.view, from, output, at, literalsEnd - from);
  output.at = at + literalsEnd - from;
}

/** Four bytes at a time, so a source that overlaps is at least four bytes behind. What is written beyond is written again later. */
function copy(view: DataView, from: number, { bytes, view: into }: Output, at: number, count: number): void {
  if (count >= LONG && (view !== into || at - from >= count)) {
    bytes.set(new Uint8Array(view.buffer, view.byteOffset + from, count), at);
    return;
  }
  const end = at + count;
  const wide = Math.min(end, bytes.length - 3);
  let to = at;
  for (; to < wide; to += 4) into.setInt32(to, view.getInt32(from + to - at, true), true);
  for (; to < end; to++) into.setUint8(to, view.getUint8(from + to - at));
}

/** A match of a period of one to three bytes. */
function repeat(bytes: Uint8Array, at: number, distance: number, count: number): void {
  if (distance === 1) bytes.fill(bytes[at - 1] as number, at, at + count);
  else for (let to = at; to < at + count; to++) bytes[to] = bytes[to - distance] as number;
}

export function tooMuch(place: number, output: Output) {
  return broken(place, 'more plain data', `at most ${output.bytes.length} bytes`);
}
