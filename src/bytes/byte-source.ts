// The seam of everything that is read by position: a file, a slice of a disk, a decompressed image.
// Read-only and synchronous. What lies behind it (clusters, chains, caches) is its own business.

/** Random-access bytes. Every implementation passes test/bytes/byte-source-contract.ts. */
export interface ByteSource {
  /** Total length in bytes. */
  readonly size: number;
  /** For messages: which file, volume or structure these bytes are. */
  readonly name: string;
  /**
   * Fills `into` from byte `at` on and returns the count of bytes filled: `into.length`, or less only where the source ends
   * (0 at or beyond the end). Throws ReadError when the medium refuses, DamageError when the container's own tables are broken.
   */
  read(into: Uint8Array, at: number): number;
  /**
   * The first offset >= `at` whose byte may be other than zero, or `size`: lets readers step over holes without reading them.
   * Absent where the source cannot tell.
   */
  nextData?(at: number): number;
  /** Gives back what the source holds open. Reading after it is a bug. */
  close?(): void;
}
