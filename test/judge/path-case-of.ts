// Builds what the judge is told of one path, in few words. Two generations, g0 and g1; the window lies between them unless
// it is said otherwise. Content is words, one for each block of 4 KiB: 'a b' and 'a c' share their first block.

import { createHash } from 'node:crypto';
import { ZERO_HASH } from '../../src/judge/block-states.ts';
import type { BlockWitness, GoneBackSpan } from '../../src/judge/block-witness.ts';
import {
  type InodeWitness,
  type LogFacts,
  type NamedInode,
  type NewestByLog,
  NO_WITNESS,
  type PathCase,
  UNKNOWN_TO_LOG,
} from '../../src/judge/path-case.ts';
import { RULE_BY_NAME } from '../../src/judge/rule-table.ts';
import type {
  BlockHashes,
  BytePath,
  EntryType,
  Expectation,
  Fault,
  Finding,
  Observation,
  ReferenceInfo,
  Seen,
  Stat,
  Window,
} from '../../src/model.ts';

/** Noon of the day of a month, with a fraction of a second: no program set it by hand. */
export const day = (number: number): bigint => BigInt(number) * 86_400_000_000_000n + 123_456_789n;

export const WINDOW: Window = { fromNs: day(15), toNs: day(18) };
/** The newest generation, g1 of day 20, then stands for a time before the window's end. */
export const LATE_WINDOW: Window = { fromNs: day(15), toNs: day(25) };

export interface StateParts {
  readonly words?: string;
  readonly sizeBytes?: number;
  readonly type?: EntryType;
  readonly linkTarget?: BytePath;
  readonly stat?: Partial<Stat>;
}

/** A file, directory or link at one time. */
export interface State {
  readonly stat: Stat;
  readonly words: readonly string[];
  readonly linkTarget: BytePath | null;
}

/** @param changed the day of its last change, which stamped mtime and ctime. */
function state(changed: number, parts: StateParts = {}): State {
  const type = parts.type ?? (parts.linkTarget === undefined ? 'file' : 'symlink');
  const words = parts.words === undefined || parts.words === '' ? [] : parts.words.split(' ');
  const stat: Stat = {
    type,
    mode: 0o644,
    uid: 0,
    gid: 0,
    sizeBytes: parts.sizeBytes ?? words.length * 4096,
    links: type === 'directory' ? 2 : 1,
    inode: 12n,
    generation: null,
    mtimeNs: day(changed),
    ctimeNs: day(changed),
    crtimeNs: day(1),
    blocks512: null,
    ...parts.stat,
  };
  return { stat, words, linkTarget: parts.linkTarget ?? null };
}

export const file = (changed: number, words: string, parts: StateParts = {}): State =>
  state(changed, { ...parts, words });
export const directory = (changed: number, stat: Partial<Stat> = {}): State =>
  state(changed, { type: 'directory', stat: { inode: 2n, ...stat } });

function hashOf(word: string): bigint {
  if (word === 'zero') return ZERO_HASH;
  return createHash('sha256').update(word).digest().readBigUInt64LE();
}

export function blocksOf(words: readonly string[]): BlockHashes {
  return new Uint8Array(BigUint64Array.from(words.map(hashOf)).buffer);
}

export const hashOfWord = hashOf;

const sha256 = ({ words, stat }: State) =>
  createHash('sha256')
    .update(`${words.join(' ')} ${stat.sizeBytes}`)
    .digest('hex');

export function seenOf(now: State, parts: Partial<Seen> = {}): Seen {
  const { stat, words, linkTarget } = now;
  const read = {
    state: 'read',
    sizeBytes: stat.sizeBytes,
    digests: { sha256: sha256(now), md5: `md5 of ${sha256(now)}` },
    blocks: blocksOf(words),
    unreadable: [],
    fault: null,
  } as const;
  const content = stat.type === 'file' ? read : null;
  return { direntType: stat.type, stat, linkTarget, fault: null, content, ...parts };
}

function expectationOf(reference: string, then: State, parts: Partial<Expectation> = {}): Expectation {
  const { stat, words, linkTarget } = then;
  return {
    reference,
    path: '/d/f',
    type: stat.type,
    sizeBytes: stat.type === 'file' ? stat.sizeBytes : null,
    digests: stat.type === 'file' ? { sha256: sha256(then) } : {},
    blocks: stat.type === 'file' ? blocksOf(words) : null,
    linkTarget,
    stat,
    owner: null,
    editable: false,
    installedAtNs: null,
    remedy: null,
    ...parts,
  };
}

/** What the file system's own log has the path as. */
export function loggedAs(then: State): Expectation {
  return expectationOf('journal', then);
}

/** What a package says of the file: content, no inode. */
export function manifest(content: State, parts: Partial<Expectation> = {}): Expectation {
  return expectationOf('dpkg', content, {
    digests: { md5: `md5 of ${sha256(content)}` },
    sizeBytes: null,
    blocks: null,
    stat: null,
    owner: { kind: 'package', name: 'fern', version: '1' },
    ...parts,
  });
}

const kindOf = (id: string): ReferenceInfo['kind'] => (id.startsWith('g') ? 'baseline' : 'packages');
const referenceInfo = (id: string): ReferenceInfo => ({
  id,
  kind: kindOf(id),
  atNs: null,
  vouches: 'content',
  complete: kindOf(id) === 'baseline',
});

export interface CaseParts {
  readonly path?: BytePath;
  /** In the generations, oldest first: g0 of day 10, g1 of day 20. One state: only g1. Null: not there. */
  readonly was?: readonly (State | null)[];
  readonly is?: State | null;
  /** In place of what `is` would be seen as. */
  readonly seen?: Seen | null;
  readonly manifests?: readonly Expectation[];
  readonly window?: Window | null;
  readonly inode?: Partial<InodeWitness>;
  /** The directory above; unless said, one that has not been exchanged and was changed on day 25. */
  readonly parent?: PathCase | null;
  readonly above?: Finding | null;
  readonly blocks?: readonly BlockWitness[];
  readonly goneBack?: readonly GoneBackSpan[];
  readonly observations?: readonly Observation[];
  readonly logged?: Expectation | null;
  readonly newest?: NewestByLog;
  readonly log?: LogFacts | null;
  readonly donors?: ReadonlyMap<bigint, readonly BytePath[]>;
  /** When g1 was captured; its own day unless said. */
  readonly capturedNs?: bigint;
}

const GENERATION_DAYS = [10, 20, 30];

/** The path /d/f as the judge is told of it. */
export function pathCase(parts: CaseParts): PathCase {
  const was = parts.was ?? [];
  const first = was.length === 1 ? 1 : 0;
  const generations = was.map((_, index) => {
    const atNs = day(GENERATION_DAYS[first + index] ?? 0);
    const isNewest = index === was.length - 1;
    const capturedNs = isNewest ? (parts.capturedNs ?? atNs) : atNs;
    return { id: `g${first + index}`, atNs, capturedNs, covers: () => true };
  });
  const past = was.flatMap((then, index) => (then === null ? [] : [expectationOf(`g${first + index}`, then)]));
  const ids = ['dpkg', 'list', ...generations.map(({ id }) => id)];
  const now = parts.is == null ? null : seenOf(parts.is);
  return {
    volume: 0,
    path: parts.path ?? '/d/f',
    seen: parts.seen === undefined ? now : parts.seen,
    expected: [...(parts.manifests ?? []), ...past],
    logged: parts.logged ?? null,
    newest: parts.newest ?? UNKNOWN_TO_LOG,
    observations: parts.observations ?? [],
    blocks: parts.blocks ?? [],
    goneBack: parts.goneBack ?? [],
    inode: { ...NO_WITNESS, ...parts.inode },
    parent: parts.parent === undefined ? heldDirectory(was.length) : parts.parent,
    above: parts.above ?? null,
    scan: {
      window: parts.window === undefined ? WINDOW : parts.window,
      references: new Map(ids.map(id => [id, referenceInfo(id)])),
      generations,
      startedAtNs: day(30),
      log: parts.log ?? null,
      donors: parts.donors ?? new Map(),
    },
  };
}

/** A directory above: as it was in each generation, and now. */
export function parentCase(was: readonly (State | null)[], is: State | null, parts: CaseParts = {}): PathCase {
  return pathCase({ path: '/d', was, is, parent: null, ...parts });
}

function heldDirectory(generations: number): PathCase {
  const was = Array.from({ length: generations }, (_, index) => directory(4 + index));
  return parentCase(was, directory(25));
}

export const named = (path: BytePath, there: State, parts: Partial<NamedInode> = {}): NamedInode => ({
  path,
  stat: there.stat,
  isNameOfOld: false,
  isNew: true,
  ...parts,
});

export const fault = (kind: Fault['kind'], code = 'EIO'): Fault => ({ kind, code, message: `it fails with ${code}` });

/** `verdict confidence`, with `metadata` where only that is of old; null when the rule says nothing. */
export function accusation(rule: string, known: PathCase): string | null {
  const found = RULE_BY_NAME.get(rule);
  if (found === undefined) throw new Error(`no rule ${rule}`);
  const charge = found.accuse(known);
  if (charge === null) return null;
  return `${charge.verdict}${charge.metadataOnly ? ' metadata' : ''} ${charge.confidence}`;
}

/** `state offset+length` of each range, in units of blocks where they are whole. */
export function ranges(rule: string, known: PathCase): string[] {
  const charge = RULE_BY_NAME.get(rule)?.accuse(known) ?? null;
  return (charge?.ranges ?? []).map(({ offset, length, state: of }) => `${of} ${offset}+${length}`);
}
