// Growth of the packed arrays that stand in for objects.

/** `into`, which is larger, with the elements of `from` at its start. */
export function enlarged<T extends Uint8Array | Uint32Array | Int32Array>(from: T, into: T): T {
  into.set(from);
  return into;
}
