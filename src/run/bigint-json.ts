// Records of a run as JSON: times, inodes and devices are 64-bit, which JSON does not have; they travel as decimal text.

/** JSON of a value whose bigints stand under keys that end in `Ns`, or are `inode` or `device`. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? String(inner) : inner));
}

/** The inverse of toJson; the caller knows the shape, which never leaves the run that wrote it. */
export function fromJson(text: string): unknown {
  return JSON.parse(text, (key, inner) => (isBigintKey(key) && typeof inner === 'string' ? BigInt(inner) : inner));
}

function isBigintKey(key: string): boolean {
  return key.endsWith('Ns') || key === 'inode' || key === 'device';
}
