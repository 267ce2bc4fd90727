// Which files of a git repository end with a digest of all that stands before it, what they begin with, and which of them are
// named by a digest that they hold. Follows gitformat-index(5), gitformat-pack(5), gitformat-commit-graph(5). Reads no bytes.

import type { BytePath } from '../../model.ts';

/** Where a file holds the digest that its name is made of: in its trailer, in front of that, or behind a header. */
export type PlaceOfName = 'trailer' | 'before-trailer' | 'after-header';

export interface ChecksummedKind {
  /** With its article, for sentences. */
  readonly what: string;
  /** Captures the digits of a name that is made of a digest. */
  readonly path: RegExp;
  /** Magic and version, in any of the versions that are known to end with a digest. */
  readonly beginnings: readonly string[];
  readonly placeOfName: PlaceOfName | null;
  /** By every program. Older gits, and other programs, name packs by the names of their objects. */
  readonly isAlwaysNamedSo: boolean;
  /** What it is named by decides every byte of it: it is never written again with others. */
  readonly isFixedByName: boolean;
  /** `index.skipHash` (git 2.40) writes zeros in place of the digest, and names a shared index by them. */
  readonly mayLackDigest: boolean;
}

export interface ChecksummedFile {
  readonly kind: ChecksummedKind;
  /** Digits of the digest in its name; null where there is none. */
  readonly named: string | null;
}

const DIGITS = '([0-9a-f]{40}|[0-9a-f]{64})';
const PACK_FOLDER = '(?:^|/)objects/pack/';
/** `pack-`, `loose-` and the like; what is still written begins with `tmp_` or a dot. */
const PACK = `${PACK_FOLDER}(?:(?!tmp_|multi-pack-index)[\\w-]+-)?${DIGITS}`;
const MULTI_PACK = `${PACK_FOLDER}(?:multi-pack-index\\.d/)?multi-pack-index-${DIGITS}`;
/** A repository's own index, that of a submodule or of another work tree; but no branch that is called so. */
const INDEX = '(?:^|/)[^/]*\\.git/(?!(?:.*/)?(?:refs|logs)/)(?:(?:modules|worktrees)/.+/)?index';

const OFTEN = { placeOfName: null, isAlwaysNamedSo: false, isFixedByName: false, mayLackDigest: false };

function kind(
  what: string,
  path: string,
  beginnings: readonly string[],
  parts: Partial<ChecksummedKind> = {},
): ChecksummedKind {
  return { ...OFTEN, what, path: new RegExp(`${path}$`), beginnings, ...parts };
}

const INDEX_BEGINNINGS = ['DIRC\0\0\0\x02', 'DIRC\0\0\0\x03', 'DIRC\0\0\0\x04'];
const MULTI_PACK_BEGINNINGS = ['MIDX\x01', 'MIDX\x02'];
const REVERSE_BEGINNINGS = ['RIDX\0\0\0\x01'];
const BITMAP_BEGINNINGS = ['BITM\0\x01'];
const GRAPH_BEGINNINGS = ['CGPH\x01'];
const ITS_OWN = { placeOfName: 'trailer', isAlwaysNamedSo: true, isFixedByName: true } as const;

const KINDS: readonly ChecksummedKind[] = [
  kind('an index', INDEX, INDEX_BEGINNINGS, { mayLackDigest: true }),
  kind('a shared index', `(?:^|/)sharedindex\\.${DIGITS}`, INDEX_BEGINNINGS, { ...ITS_OWN, mayLackDigest: true }),
  kind('a pack', `${PACK}\\.pack`, ['PACK\0\0\0\x02', 'PACK\0\0\0\x03'], { ...ITS_OWN, isAlwaysNamedSo: false }),
  // Version 1 has no magic; the digest that the pack is named by tells it.
  kind("a pack's index", `${PACK}\\.idx`, ['\xfftOc\0\0\0\x02'], {
    placeOfName: 'before-trailer',
    isFixedByName: true,
  }),
  kind("a pack's reverse index", `${PACK}\\.rev`, REVERSE_BEGINNINGS, {
    placeOfName: 'before-trailer',
    isFixedByName: true,
  }),
  kind("a pack's list of times", `${PACK}\\.mtimes`, ['MTME\0\0\0\x01'], { placeOfName: 'before-trailer' }),
  kind("a pack's bitmap", `${PACK}\\.bitmap`, BITMAP_BEGINNINGS, { placeOfName: 'after-header' }),
  kind('a multi-pack index', `${PACK_FOLDER}multi-pack-index`, MULTI_PACK_BEGINNINGS),
  kind('a multi-pack index', `${MULTI_PACK}\\.midx`, MULTI_PACK_BEGINNINGS, ITS_OWN),
  // The order that it holds depends on the preferred pack as well, which the name does not.
  kind("a multi-pack index's reverse index", `${MULTI_PACK}\\.rev`, REVERSE_BEGINNINGS, {
    placeOfName: 'before-trailer',
    isAlwaysNamedSo: true,
  }),
  kind("a multi-pack index's bitmap", `${MULTI_PACK}\\.bitmap`, BITMAP_BEGINNINGS, {
    placeOfName: 'after-header',
    isAlwaysNamedSo: true,
  }),
  kind('a commit graph', '(?:^|/)objects/info/commit-graph', GRAPH_BEGINNINGS),
  kind('a commit graph', `(?:^|/)objects/info/commit-graphs/graph-${DIGITS}\\.graph`, GRAPH_BEGINNINGS, ITS_OWN),
];

/** Null for every other file. Says what its name claims: the bytes may be another program's. */
export function checksummedFileOf(path: BytePath): ChecksummedFile | null {
  if (!path.includes('objects/') && !path.includes('index')) return null;
  for (const kind of KINDS) {
    const match = kind.path.exec(path);
    if (match !== null) return { kind, named: match[1] ?? null };
  }
  return null;
}

/** Names of such places that no other program is known to use. */
export function isCertainlyGits(path: BytePath, { named }: ChecksummedFile): boolean {
  return named !== null || /\.git\//.test(path);
}
