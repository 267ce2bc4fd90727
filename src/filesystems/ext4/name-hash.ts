// Hashes of names, by which an indexed directory is searched. Follows fs/ext4/hash.c of Linux 6.18; all sums are of 32 bits.

/** How a directory's names are hashed: `dx_root_info.hash_version`, and whether a `char` is unsigned. */
export interface NameHashing {
  readonly version: number;
  readonly unsigned: boolean;
  /** Four words of the superblock; all zeros: those of MD4. */
  readonly seed: readonly number[];
}

const VERSIONS = { legacy: 0, halfMd4: 1, tea: 2 } as const;
const MD4_START = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
/** The greatest hash marks the end of a directory. */
const END_MARK = 0xfffffffe;
const BEFORE_END = 0xfffffffc;

export function knowsHash(version: number): boolean {
  return version >= VERSIONS.legacy && version <= VERSIONS.tea;
}

/** @param name one character a byte. */
export function hashOfName(name: string, { version, unsigned, seed }: NameHashing): number {
  const bytes = Int32Array.from(name, character => signed(character.charCodeAt(0), unsigned));
  const state = Uint32Array.from(seed.some(word => word !== 0) ? seed : MD4_START);
  const hash = even(rawHash(bytes, state, version));
  return hash === END_MARK ? BEFORE_END : hash;
}

function signed(byte: number, unsigned: boolean): number {
  return unsigned || byte < 128 ? byte : byte - 256;
}

/** Its lowest bit tells that a block goes on with the hash of the one before. */
export function even(hash: number): number {
  return (hash & ~1) >>> 0;
}

function rawHash(name: Int32Array, state: Uint32Array, version: number): number {
  if (version === VERSIONS.legacy) return legacyHash(name);
  const isTea = version === VERSIONS.tea;
  const words = isTea ? 4 : 8;
  for (let at = 0; at < name.length; at += words * 4) {
    const input = wordsOf(name.subarray(at), words);
    if (isTea) mixTea(state, input);
    else mixHalfMd4(state, input);
  }
  return state[isTea ? 0 : 1] ?? 0;
}

function legacyHash(name: Int32Array): number {
  let [before, last] = [0x37abe8f9, 0x12a3fe2d];
  for (const byte of name) {
    const mixed = (before + (last ^ Math.imul(byte, 7152373))) >>> 0;
    [before, last] = [last, (mixed & 0x80000000) !== 0 ? mixed - 0x7fffffff : mixed];
  }
  return (last << 1) >>> 0;
}

/** The next bytes as words, what is missing as the length over and over. @param rest of the name, also beyond the words. */
function wordsOf(rest: Int32Array, count: number): Uint32Array {
  const padding = Math.imul(rest.length, 0x01010101) >>> 0;
  const words = new Uint32Array(count).fill(padding);
  const length = Math.min(rest.length, count * 4);
  let word = padding;
  for (let index = 0; index < length; index++) {
    word = ((rest[index] ?? 0) + (word << 8)) >>> 0;
    words[index >>> 2] = word;
    if (index % 4 === 3) word = padding;
  }
  return words;
}

function rotated(word: number, bits: number): number {
  return ((word << bits) | (word >>> (32 - bits))) >>> 0;
}

const MD4_ROUNDS = [
  { add: 0, turns: [3, 7, 11, 19], order: [0, 1, 2, 3, 4, 5, 6, 7], mix: choice },
  { add: 0x5a827999, turns: [3, 5, 9, 13], order: [1, 3, 5, 7, 0, 2, 4, 6], mix: majority },
  { add: 0x6ed9eba1, turns: [3, 9, 11, 15], order: [3, 7, 2, 6, 1, 5, 0, 4], mix: parity },
] as const;

function choice(x: number, y: number, z: number): number {
  return z ^ (x & (y ^ z));
}

function majority(x: number, y: number, z: number): number {
  return (x & y) + ((x ^ y) & z);
}

function parity(x: number, y: number, z: number): number {
  return x ^ y ^ z;
}

function mixHalfMd4(state: Uint32Array, input: Uint32Array): void {
  let [a = 0, b = 0, c = 0, d = 0] = state;
  for (const { add, turns, order, mix } of MD4_ROUNDS) {
    for (const [step, word] of order.entries()) {
      const sum = a + mix(b, c, d) + (input[word] ?? 0) + add;
      [a, b, c, d] = [d, rotated(sum >>> 0, turns[step % 4] ?? 0), b, c];
    }
  }
  for (const [index, word] of [a, b, c, d].entries()) state[index] = (state[index] ?? 0) + word;
}

const TEA_DELTA = 0x9e3779b9;
const TEA_ROUNDS = 16;

function mixTea(state: Uint32Array, [a = 0, b = 0, c = 0, d = 0]: Uint32Array): void {
  let [left = 0, right = 0] = state;
  let sum = 0;
  for (let round = 0; round < TEA_ROUNDS; round++) {
    sum = (sum + TEA_DELTA) >>> 0;
    left = (left + (((right << 4) + a) ^ (right + sum) ^ ((right >>> 5) + b))) >>> 0;
    right = (right + (((left << 4) + c) ^ (left + sum) ^ ((left >>> 5) + d))) >>> 0;
  }
  state[0] = (state[0] ?? 0) + left;
  state[1] = (state[1] ?? 0) + right;
}
