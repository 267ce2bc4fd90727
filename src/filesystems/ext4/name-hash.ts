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
export function hashOfName(name: string, hashing: NameHashing): number {
  const hash = even(hashing.version === VERSIONS.legacy ? legacyHash(name, hashing) : mixedHash(name, hashing));
  return hash === END_MARK ? BEFORE_END : hash;
}

/** Its lowest bit tells that a block goes on with the hash of the one before. */
export function even(hash: number): number {
  return (hash & ~1) >>> 0;
}

function byteOf(name: string, at: number, unsigned: boolean): number {
  const byte = name.charCodeAt(at);
  return unsigned || byte < 128 ? byte : byte - 256;
}

function legacyHash(name: string, { unsigned }: NameHashing): number {
  let before = 0x37abe8f9;
  let last = 0x12a3fe2d;
  for (let at = 0; at < name.length; at++) {
    const mixed = (before + (last ^ Math.imul(byteOf(name, at, unsigned), 7152373))) >>> 0;
    before = last;
    last = (mixed & 0x80000000) !== 0 ? mixed - 0x7fffffff : mixed;
  }
  return (last << 1) >>> 0;
}

/** Of the name that is being hashed: a listing hashes millions. */
const state = new Uint32Array(4);
const input = new Uint32Array(8);

function mixedHash(name: string, { version, unsigned, seed }: NameHashing): number {
  const isTea = version === VERSIONS.tea;
  const words = isTea ? 4 : 8;
  state.set(seed.some(word => word !== 0) ? seed : MD4_START);
  for (let at = 0; at < name.length; at += words * 4) {
    takeWords(name, at, words, unsigned);
    if (isTea) mixTea();
    else mixHalfMd4();
  }
  return state[isTea ? 0 : 1] ?? 0;
}

/** The next bytes as words; what is missing is the length of the rest, over and over. */
function takeWords(name: string, start: number, count: number, unsigned: boolean): void {
  const padding = Math.imul(name.length - start, 0x01010101) >>> 0;
  const end = Math.min(name.length, start + count * 4);
  input.fill(padding);
  let word = padding;
  for (let at = start; at < end; at++) {
    word = (byteOf(name, at, unsigned) + (word << 8)) >>> 0;
    input[(at - start) >>> 2] = word;
    if ((at - start) % 4 === 3) word = padding;
  }
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

function mixHalfMd4(): void {
  let [a = 0, b = 0, c = 0, d = 0] = state;
  for (const { add, turns, order, mix } of MD4_ROUNDS) {
    for (let step = 0; step < order.length; step++) {
      const sum = a + mix(b, c, d) + (input[order[step] ?? 0] ?? 0) + add;
      a = d;
      d = c;
      c = b;
      b = rotated(sum >>> 0, turns[step % 4] ?? 0);
    }
  }
  addToState(a, b, c, d);
}

function addToState(a: number, b: number, c: number, d: number): void {
  state[0] = (state[0] ?? 0) + a;
  state[1] = (state[1] ?? 0) + b;
  state[2] = (state[2] ?? 0) + c;
  state[3] = (state[3] ?? 0) + d;
}

const TEA_DELTA = 0x9e3779b9;
const TEA_ROUNDS = 16;

function mixTea(): void {
  const [a = 0, b = 0, c = 0, d = 0] = input;
  let [left = 0, right = 0] = state;
  let sum = 0;
  for (let round = 0; round < TEA_ROUNDS; round++) {
    sum = (sum + TEA_DELTA) >>> 0;
    left = (left + (((right << 4) + a) ^ (right + sum) ^ ((right >>> 5) + b))) >>> 0;
    right = (right + (((left << 4) + c) ^ (left + sum) ^ ((left >>> 5) + d))) >>> 0;
  }
  addToState(left, right, 0, 0);
}
