// Sets the journal's copies of metadata beside the blocks in their places. Inodes are compared one by one (logged-inodes.ts);
// of other structures the newest copy counts, unless a transaction may be missing after it: then only an earlier copy in its
// place tells. Superblocks are written beside the journal, and left out.

import { unlessRefused } from '../../errors.ts';
import type { BlockRole, Nanoseconds } from '../../model.ts';
import { makeOverlay, OverlaidBytes } from '../block-overlay.ts';
import { FormerEndCollector, type FormerEndColumns } from '../former-ends.ts';
import type { LoggedState, OutdatedBlock } from '../logged-state.ts';
import { ownedBlocks, structureBlocks } from './block-owners.ts';
import { type JournalHistory, type LoggedBlock, readJournalHistory } from './journal-history.ts';
import { type OpenJournal, openJournal } from './journal-state.ts';
import { SUPERBLOCK_AT, superblock as superblockLayout } from './layout.ts';
import { endsInTable } from './logged-ends.ts';
import { newestSlots } from './logged-inodes.ts';
import { NewestBlocks } from './newest-blocks.ts';
import type { Superblock } from './superblock.ts';
import { Ext4Volume } from './volume.ts';

/** A block with a newer copy in the log. */
interface Outdated extends OutdatedBlock {
  readonly newest: Uint8Array;
  /** Inodes that are newer in it; the directory or file whose structure it is. */
  readonly numbers: readonly number[];
}

export interface LoggedVolume extends Omit<LoggedState, 'view'> {
  readonly view: Ext4Volume | null;
}

/**
 * Null when the volume has no journal of its own that can be read, or one that says nothing of the volume as it is.
 * @param volume as a mount would show it.
 */
export function loggedVolume(volume: Ext4Volume): LoggedVolume | null {
  const opened = unlessRefused(() => openJournal(volume, null));
  if (opened === null) return null;
  const history = readJournalHistory(opened.journal);
  const { fromNs, toNs, holes } = history;
  const log = new LoggedCopies(volume, opened, history);
  if (fromNs === null || toNs === null || log.isOfOtherShape()) return null;
  const compared = log.compare();
  const { view, outdated } = viewOf(volume, compared.outdated);
  const inodes = new Set(outdated.flatMap(({ numbers }) => numbers));
  const blocks = outdated.map(({ block, role, isEarlierCopy, inodes: count }) => {
    return { block, role, isEarlierCopy, inodes: count };
  });
  const isUndisturbed = holes === 0 && log.isWhole && !isDisturbed(volume.superblock, toNs);
  const newest = new NewestBlocks(view ?? volume, compared.known, new Set([...compared.otherInodes, ...inodes]));
  return { fromNs, toNs, holes, view, inodes, blocks, isUndisturbed, newest, ends: compared.ends };
}

const SECOND_NS = 1_000_000_000n;
/** A kernel commits what is open when it unmounts, and stamps the superblock then. */
const UNMOUNT_NS = 5n * SECOND_NS;

/**
 * In use, found broken by the kernel, checked and perhaps repaired since the last commit, or written to by something that is
 * no kernel. Or it was at rest long before it was unmounted: that looks the same. Times are of whole seconds.
 */
function isDisturbed(superblock: Superblock, toNs: Nanoseconds): boolean {
  const { needsRecovery, clean, hasErrors, lastCheckNs, mkfsTimeNs, writeTimeNs } = superblock;
  if (needsRecovery || !clean || hasErrors) return true;
  // mke2fs counts as the first check.
  const isChecked = lastCheckNs !== null && lastCheckNs !== mkfsTimeNs;
  if (isChecked && lastCheckNs + SECOND_NS > toNs) return true;
  return writeTimeNs !== null && writeTimeNs > toNs + UNMOUNT_NS;
}

interface Compared {
  /** Ascending by block. */
  readonly outdated: readonly Outdated[];
  /** Blocks of which the newest copy is known. */
  readonly known: ReadonlySet<number>;
  /** Inodes that this copy has otherwise than the disk. */
  readonly otherInodes: ReadonlySet<number>;
  readonly ends: FormerEndColumns;
}

/** The copies of a journal beside their places in the volume. */
class LoggedCopies {
  /** Every copy that was asked for is sound. */
  isWhole = true;
  readonly #volume: Ext4Volume;
  readonly #opened: OpenJournal;
  readonly #history: JournalHistory;
  readonly #structures: Structures;
  readonly #ends = new FormerEndCollector();

  constructor(volume: Ext4Volume, opened: OpenJournal, history: JournalHistory) {
    this.#volume = volume;
    this.#opened = opened;
    this.#history = history;
    this.#structures = structuresOf(volume);
  }

  /** The log knows it with another size or identity: a tool that does not use the log wrote all of its structures anew. */
  isOfOtherShape(): boolean {
    return this.#hasOtherSuperblock() || this.#hasOtherChecksums();
  }

  /** Checksums of inodes start from the identity. */
  #hasOtherChecksums(): boolean {
    const { checksums, superblock } = this.#volume;
    if (!checksums.on) return false;
    for (const [block, copies] of this.#history.copies) {
      const structure = this.#structures.at(block);
      const bytes = structure?.role === 'inode-table' && copies[0] !== undefined ? this.#content(copies[0]) : null;
      if (structure === null || bytes === null) continue;
      for (let at = 0; at < bytes.length; at += superblock.inodeSize) {
        const number = structure.firstInodeOf(block) + at / superblock.inodeSize;
        const slot = bytes.subarray(at, at + superblock.inodeSize);
        // Slots that were never used have none.
        if (slot.some(byte => byte !== 0)) return checksums.inode(number, slot, 0) !== null;
      }
    }
    return false;
  }

  #hasOtherSuperblock(): boolean {
    const { blockSize, raw } = this.#volume.superblock;
    const [copy] = this.#history.copies.get(Math.floor(SUPERBLOCK_AT / blockSize)) ?? [];
    const bytes = copy === undefined ? null : this.#content(copy);
    if (bytes === null) return false;
    const logged = superblockLayout.at(bytes, SUPERBLOCK_AT % blockSize);
    if (logged.blocksCountLow !== raw.blocksCountLow || logged.inodesCount !== raw.inodesCount) return true;
    return Buffer.compare(logged.uuid, raw.uuid) !== 0;
  }

  compare(): Compared {
    const outdated: Outdated[] = [];
    const known = new Set<number>();
    const otherInodes = new Set<number>();
    for (const block of [...this.#history.copies.keys()].sort((left, right) => left - right)) {
      const copies = this.#history.copies.get(block) ?? [];
      const home = unlessRefused(() => this.#volume.readBlock(block));
      if (home === null) continue;
      const found = this.#outdated(block, home, copies);
      if (found !== null) outdated.push(found);
      const newest = this.#newest(copies);
      if (newest !== null) known.add(block);
      for (const number of this.#otherInodes(block, home, newest ?? home)) otherInodes.add(number);
    }
    return { outdated, known, otherInodes, ends: this.#ends.finish() };
  }

  /** Null when a newer one may be missing. */
  #newest([first]: readonly LoggedBlock[]): Uint8Array | null {
    return first === undefined || first.hasHoleAfter ? null : this.#content(first);
  }

  /** Of a block of the inode table: inodes that the copy has otherwise than home. */
  *#otherInodes(block: number, home: Uint8Array, copy: Uint8Array): Iterable<number> {
    const structure = this.#structures.at(block);
    const { inodeSize } = this.#volume.superblock;
    if (structure?.role !== 'inode-table' || Buffer.compare(home, copy) === 0) return;
    for (let at = 0; at < home.length; at += inodeSize) {
      const isSame = Buffer.compare(home.subarray(at, at + inodeSize), copy.subarray(at, at + inodeSize)) === 0;
      if (!isSame) yield structure.firstInodeOf(block) + at / inodeSize;
    }
  }

  #outdated(block: number, home: Uint8Array, copies: readonly LoggedBlock[]): Outdated | null {
    const structure = this.#structures.at(block);
    if (structure?.role === 'superblock') return null;
    return structure?.role === 'inode-table'
      ? this.#table(block, home, copies, structure.firstInodeOf(block))
      : this.#other(block, home, copies, structure?.role ?? 'data');
  }

  #table(block: number, home: Uint8Array, copies: readonly LoggedBlock[], firstInode: number): Outdated | null {
    const sound = copies.flatMap(copy => {
      const bytes = this.#content(copy);
      return bytes === null ? [] : [{ bytes, committedNs: copy.committedNs }];
    });
    for (const copy of sound) for (const end of endsInTable(this.#volume, copy.bytes, firstInode)) this.#ends.note(end);
    const isNewestKnown = copies[0]?.hasHoleAfter === false && this.#content(copies[0]) !== null;
    const slots = newestSlots(this.#volume.superblock, { home, copies: sound, isNewestKnown, firstInode });
    if (slots === null) return null;
    const isEarlierCopy = sound.slice(1).some(({ bytes }) => Buffer.compare(bytes, home) === 0);
    const { bytes, numbers } = slots;
    return { block, role: 'inode-table', isEarlierCopy, inodes: numbers.length, newest: bytes, numbers };
  }

  #other(block: number, home: Uint8Array, copies: readonly LoggedBlock[], role: BlockRole): Outdated | null {
    const [first, ...earlier] = copies;
    const newest = first === undefined ? null : this.#content(first);
    if (first === undefined || newest === null || Buffer.compare(newest, home) === 0) return null;
    const isEarlierCopy = earlier.some(copy => {
      const bytes = this.#content(copy);
      return bytes !== null && Buffer.compare(bytes, home) === 0;
    });
    if (first.hasHoleAfter && !isEarlierCopy) return null;
    return { block, role, isEarlierCopy, inodes: 0, newest, numbers: [] };
  }

  /** Null when it is not sound. */
  #content({ logBlock, tag, sequence }: LoggedBlock): Uint8Array | null {
    const { journal } = this.#opened;
    const bytes = unlessRefused(() => journal.block(logBlock));
    const isSound = bytes !== null && journal.copyHolds(tag, sequence, bytes);
    if (!isSound) this.isWhole = false;
    else if (tag.escaped) bytes.set(JOURNAL_MAGIC_BYTES);
    return isSound ? bytes : null;
  }
}

const JOURNAL_MAGIC_BYTES = Uint8Array.of(0xc0, 0x3b, 0x39, 0x98);

interface Structure {
  readonly role: BlockRole;
  readonly physical: number;
  readonly length: number;
  firstInodeOf(block: number): number;
}

interface Structures {
  at(block: number): Structure | null;
}

/** The file system's own blocks, to be asked for by block. */
function structuresOf(volume: Ext4Volume): Structures {
  const { inodesPerGroup, inodeSize, blockSize } = volume.superblock;
  const perBlock = blockSize / inodeSize;
  const all = [...structureBlocks(volume)].sort((left, right) => left.physical - right.physical);
  return {
    at(block) {
      const run = all[lastUpTo(all, block)];
      if (run === undefined || block >= run.physical + run.length) return null;
      const { role, physical, length, logical: group } = run;
      const firstInodeOf = (inside: number): number => group * inodesPerGroup + (inside - physical) * perBlock + 1;
      return { role, physical, length, firstInodeOf };
    },
  };
}

/** Index of the last one that does not begin after the block; -1 when there is none. */
function lastUpTo(runs: readonly { readonly physical: number }[], block: number): number {
  let [low, high] = [0, runs.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((runs[middle]?.physical ?? 0) <= block) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** What the newest copies make of the volume. Copies of blocks that hold a file's content by then are of no structure. */
function viewOf(
  volume: Ext4Volume,
  all: readonly Outdated[],
): Pick<LoggedVolume, 'view'> & { outdated: readonly Outdated[] } {
  const outdated = all.some(({ role }) => role === 'data') ? withOwners(overlaid(volume, all), all) : all;
  const tells = outdated.some(({ role }) => !COUNTS_ONLY.has(role));
  return { view: tells ? overlaid(volume, outdated) : null, outdated };
}

/** What tells nothing of paths and content. */
const COUNTS_ONLY: ReadonlySet<BlockRole> = new Set([
  'group-descriptors',
  'reserved-descriptors',
  'block-bitmap',
  'inode-bitmap',
  'multi-mount-protection',
]);

function overlaid(volume: Ext4Volume, outdated: readonly Outdated[]): Ext4Volume {
  const blocks = outdated.map(({ block, newest }) => ({ block, content: newest, escaped: false }));
  return new Ext4Volume(new OverlaidBytes(volume.source, makeOverlay(volume.blockSize, blocks)));
}

/** What the blocks are to the inodes of the view; those that are nobody's, or file content, are left out. */
function withOwners(view: Ext4Volume, outdated: readonly Outdated[]): Outdated[] {
  const open = new Map(outdated.filter(({ role }) => role === 'data').map(each => [each.block, each]));
  const owned = new Map<number, Outdated>();
  for (const { role, inode, physical, length } of ownedBlocks(view)) {
    if (inode === 0 || role === 'data' || role === 'journal') continue;
    for (let block = physical; block < physical + length; block++) {
      const found = open.get(block);
      if (found !== undefined) owned.set(block, { ...found, role, numbers: [inode] });
    }
  }
  return outdated.flatMap(each => (each.role === 'data' ? (owned.get(each.block) ?? []) : [each]));
}
