// Where things stand in git's index, versions 2 to 4 (gitformat-index(5)). Big-endian. Split index and unknown extensions that must be
// understood are left to whoever reads.

export const SIGNATURE = 'DIRC';
export const HEADER = { version: 4, count: 8, bytes: 12 } as const;
export const VERSIONS = { least: 2, extended: 3, prefixed: 4 } as const;

/** Of an entry, up to the id; flags follow the id, then, where they say so, extended flags, then the name. */
export const ENTRY = {
  ctimeSeconds: 0,
  ctimeFraction: 4,
  mtimeSeconds: 8,
  mtimeFraction: 12,
  inode: 20,
  mode: 24,
  size: 36,
  id: 40,
} as const;

export const FLAG = { assumeValid: 0x8000, extended: 0x4000, stage: 0x3000 } as const;
export const EXTENDED_FLAG = { skipWorktree: 0x4000, intentToAdd: 0x2000 } as const;

/** The file type in `mode`, as in st_mode. */
export const MODE = { type: 0xf000, file: 0x8000 } as const;

/** Entries of versions 2 and 3 are padded with 1 to 8 NULs to a multiple of this. */
export const ENTRY_ALIGNMENT = 8;

/** After the entries: signature, length, data. Those that begin with a capital may be skipped. */
export const EXTENSION = { length: 4, bytes: 8 } as const;
/** Entries stand in another file, this one has the changes. */
export const SPLIT_INDEX = 'link';
/** Some entries stand for whole directories. */
export const SPARSE_DIRECTORIES = 'sdir';

/** By the name of the repository's format (extensions.objectFormat). */
export const ID_BYTES = { sha1: 20, sha256: 32 } as const;
