// What inodes say across paths: where a lost name's inode lives now, where a new name's inode was, inodes with more names
// than links. Kept only for the few that matter; a bound keeps memory in hand when a whole tree is gone.

import { DEFAULT_HABITS, type InodeHabits } from '../filesystems/filesystem.ts';
import {
  CLOCK_TICK_NS,
  type InodeWitness,
  isStampedByKernel,
  type NamedInode,
  NO_WITNESS,
  type YoungerChild,
} from '../judge/path-case.ts';
import type { BytePath, Expectation, Stat } from '../model.ts';
import { isBelow, parentPath } from '../path.ts';
import type { PathGroup } from './path-stream.ts';
import { InodeSet, PATHS_AT_MOST, PathsByInode, push } from './paths-by-inode.ts';
import { SecondNames } from './second-names.ts';
import type { SpoolEntry } from './spool.ts';

/** Made by mke2fs and e2fsck, and filled by the latter: neither stamps the directory. */
const LOST_AND_FOUND = '/lost+found';

/** Filled by three passes: groups (what is gone, new, named twice), the tree again, the newest generation again. */
export class InodeIndex {
  readonly #gone = new PathsByInode();
  readonly #unknown = new PathsByInode();
  /** Names by the inode that they had, and have no more. */
  readonly #displaced = new PathsByInode();
  readonly #livesInstead = new Map<BytePath, NamedInode[]>();
  readonly #seen = new InodeSet();
  readonly #rivals = new PathsByInode();
  readonly #livesAt = new Map<BytePath, NamedInode[]>();
  readonly #cameFrom = new Map<BytePath, { readonly path: BytePath; readonly stat: Stat }[]>();
  readonly #namesOfOld = new Set<BytePath>();
  readonly #names = new Map<bigint, BytePath[]>();
  readonly #lostSubdirectories = new Map<BytePath, number>();
  readonly #youngerChild = new Map<BytePath, YoungerChild>();
  readonly #secondNames = new SecondNames();
  /** Directories that the newest generation had elsewhere, or not at all. */
  readonly #newDirectories = new Map<BytePath, Stat>();
  readonly #movedHere = new Map<BytePath, Expectation>();
  /** The moved directories above the path that is being looked up, outermost first. */
  readonly #moves: { readonly from: BytePath; readonly to: BytePath }[] = [];
  /** The directories above the path that is being collected, outermost first. */
  readonly #above: OpenDirectory[] = [];
  /** Numbers of inode-table blocks with an inode older than the newest generation, which had it nowhere. */
  readonly #blocksOfOld = new Set<bigint>();
  /** The same with an inode that is beyond doubt older than in the newest generation, or gone. */
  readonly #blocksWentBack = new Set<bigint>();
  /** The same with an inode that changed between the last two generations, and is as it was then or newer. */
  readonly #blocksOfNow = new Set<bigint>();
  readonly #habits: InodeHabits;
  readonly #selective: boolean;
  readonly #olderAtNs: bigint | null;
  readonly #newestAtNs: bigint | null;
  #rootDevice: bigint | null = null;

  /**
   * @param selective some entries are left out of the scan, so that directories' link counts cannot be checked.
   * @param atNs the times of the generations, ascending.
   * @param habits of the file system.
   */
  constructor(selective: boolean, atNs: readonly bigint[], habits: InodeHabits = DEFAULT_HABITS) {
    this.#habits = habits;
    this.#selective = selective;
    this.#olderAtNs = atNs.at(-2) ?? null;
    this.#newestAtNs = atNs.at(-1) ?? null;
  }

  /** First pass. @param newest the newest generation's word on the path, null when it has none. */
  collect(group: PathGroup, newest: Expectation | null): void {
    // Of a second name, and of what lies below it, no more is known than of a name that leads nowhere.
    const stat = group.entry?.viaSecondName ? null : (group.entry?.stat ?? null);
    if (group.entry?.viaSecondName) this.#secondNames.note(group.entry);
    const isHidden = group.entry?.kind === 'mount';
    this.#enter(group.path);
    if (stat === null && newest?.stat && !isHidden) this.#noteGone(group.path, newest.stat);
    if (group.entry !== null) this.#countSubdirectory(group.path, group.entry);
    if (stat === null || group.entry === null || group.entry.mountPoint) return;
    this.#rootDevice ??= group.entry.device;
    if (group.entry.device !== this.#rootDevice) return;
    if (newest?.stat == null || !isHeir(stat, newest.stat)) this.#noteUnknown(group, stat, newest);
    if (newest?.stat && !isHeir(stat, newest.stat)) this.#displaced.add(newest.stat.inode, group.path);
    if (newest?.stat) this.#noteAge(stat, newest.stat);
    this.#noteChild(group.path, stat);
    if (stat.type === 'directory') this.#above.push(openDirectory(group, stat, newest?.stat ?? null));
    else this.#countName(group.path, stat);
  }

  /** After the last path of the first pass. */
  finishCollecting(): void {
    while (this.#above.length > 0) this.#leave();
  }

  /** Second pass, over the tree. */
  lookUpInTree(entry: SpoolEntry): void {
    const { stat, path } = entry;
    if (stat === null || entry.viaSecondName || entry.device !== this.#rootDevice) return;
    this.#secondNames.lookUp(entry);
    for (const name of this.#displaced.of(stat.inode))
      push(this.#livesInstead, name, { path, stat, isNameOfOld: false, isNew: false });
    const gone = this.#gone.of(stat.inode);
    if (gone.length > 0) {
      const isNew = this.#unknown.isGivenUp || this.#unknown.of(stat.inode).includes(path);
      const named = { path, stat, isNameOfOld: this.#namesOfOld.has(path), isNew };
      for (const name of gone) push(this.#livesAt, name, named);
    }
    if (stat.type !== 'directory' && this.#rivals.has(stat.inode)) this.#rivals.addOnce(stat.inode, path);
  }

  /** What the newest generation had at the place that a directory above was moved from, as a whole; null: none was. */
  movedHere(path: BytePath): Expectation | null {
    return this.#movedHere.get(path) ?? null;
  }

  /** Second pass, over the newest generation. */
  lookUpInGeneration(expectation: Expectation): void {
    if (expectation.stat === null) return;
    this.#followMove(expectation, expectation.stat);
    const { inode } = expectation.stat;
    for (const path of [...this.#unknown.of(inode), ...this.#secondNames.of(inode)]) {
      if (path !== expectation.path) push(this.#cameFrom, path, { path: expectation.path, stat: expectation.stat });
    }
  }

  get wantsSecondPass(): boolean {
    const kept = [this.#gone, this.#unknown, this.#rivals, this.#secondNames];
    return kept.some(paths => !paths.isEmpty);
  }

  /** @param formerly the inode of the newest generation, to tell its own heirs from those of a re-used number. */
  witness(group: PathGroup, formerly: Stat | null): InodeWitness {
    if (group.entry?.viaSecondName) return this.#ofSecondName(group.entry);
    const stat = group.entry?.stat ?? null;
    const livesAt = (this.#livesAt.get(group.path) ?? []).filter(named => isHeir(named.stat, formerly));
    const came = (this.#cameFrom.get(group.path) ?? []).filter(named => stat !== null && isHeir(named.stat, stat));
    const shared = stat === null || stat.type === 'directory' ? [] : this.#rivals.of(stat.inode);
    const rivals = shared.filter(path => path !== group.path);
    if (stat === null) return formerly === null ? NO_WITNESS : { ...NO_WITNESS, ...this.#ofMissing(livesAt, formerly) };
    return {
      livesAt,
      cameFrom: came.map(named => named.path),
      isExchanged: came.some(({ path }) => this.#isHeirAt(group.path, path, formerly)),
      numbersReturn: this.#habits.reusesNumbers,
      unstampedExchange: this.#unstampedExchange(stat, came),
      isNameOfOld: this.#namesOfOld.has(group.path),
      isAmongOldInodes: this.#blocksOfOld.has(this.#blockOf(stat)),
      inodeBlockWentBack: this.#hasBlockGoneBack(stat),
      linkStillCounted: false,
      homePath: null,
      rivals,
      rivalsOfNewest: rivals.filter(path => !this.#unknown.of(stat.inode).includes(path)),
      lostSubdirectories: this.#lostSubdirectories.get(group.path) ?? 0,
      youngerChild: this.#youngerChild.get(group.path) ?? null,
    };
  }

  #ofSecondName({ path, stat }: SpoolEntry): InodeWitness {
    if (stat === null) return NO_WITNESS;
    const came = (this.#cameFrom.get(path) ?? []).filter(named => isHeir(stat, named.stat));
    return { ...NO_WITNESS, cameFrom: came.map(named => named.path), homePath: this.#secondNames.homeOf(stat.inode) };
  }

  #unstampedExchange({ inode }: Stat, came: readonly { readonly path: BytePath }[]): InodeWitness['unstampedExchange'] {
    if (this.#habits.stampsExchange) return null;
    const replaced = this.#displaced.of(inode);
    return came.some(({ path }) => replaced.includes(path)) ? 'seen' : 'possible';
  }

  #blockOf({ inode }: Stat): bigint {
    return (inode - BigInt(this.#habits.first)) / BigInt(this.#habits.perBlock);
  }

  /** The inode that a name had is now under that other one. */
  #isHeirAt(name: BytePath, other: BytePath, formerly: Stat | null): boolean {
    const instead = this.#livesInstead.get(name) ?? [];
    return instead.some(named => named.path === other && isHeir(named.stat, formerly));
  }

  #ofMissing(livesAt: readonly NamedInode[], formerly: Stat): Partial<InodeWitness> {
    const gone = this.#gone.of(formerly.inode).length;
    const [first] = livesAt;
    const wereAllKnown = formerly.links === gone + livesAt.filter(named => !named.isNew).length;
    const lost = first === undefined || first.stat.type === 'directory' ? 0 : first.stat.links - livesAt.length;
    return {
      livesAt,
      inodeBlockWentBack: this.#hasBlockGoneBack(formerly),
      linkStillCounted: wereAllKnown && lost > 0 && lost >= gone,
    };
  }

  /** A directory that is the same inode under another path took along what was below it. */
  #followMove(expectation: Expectation, stat: Stat): void {
    while (this.#moves.length > 0 && !isBelow(expectation.path, this.#moves.at(-1)?.from ?? '')) this.#moves.pop();
    const to = stat.type === 'directory' ? this.#movedTo(expectation.path, stat) : null;
    if (to !== null) this.#moves.push({ from: expectation.path, to });
    const move = this.#moves.at(-1);
    if (move === undefined || this.#movedHere.size >= PATHS_AT_MOST) return;
    const path = move.to + expectation.path.slice(move.from.length);
    this.#movedHere.set(path, asAt(expectation, path));
  }

  #movedTo(path: BytePath, formerly: Stat): BytePath | null {
    return (
      this.#unknown.of(formerly.inode).find(now => {
        const stat = this.#newDirectories.get(now);
        return now !== path && stat !== undefined && isHeir(stat, formerly);
      }) ?? null
    );
  }

  /** A second name of an inode that counts one link is a contradiction; with more links, more names than links are. */
  #countName(path: BytePath, stat: Stat): void {
    if (stat.links === 1) {
      if (!this.#seen.add(stat.inode)) this.#rivals.add(stat.inode, path);
      return;
    }
    const names = this.#names.get(stat.inode) ?? [];
    names.push(path);
    if (this.#names.size < PATHS_AT_MOST) this.#names.set(stat.inode, names);
    if (names.length > stat.links) for (const name of names) this.#rivals.addOnce(stat.inode, name);
  }

  /** A name that is gone from a directory that nothing has changed went with its inode, or with the directory's block. */
  #noteGone(path: BytePath, formerly: Stat): void {
    this.#gone.add(formerly.inode, path);
    const directory = this.#above.at(-1);
    if (directory?.path === parentPath(path) && directory.unchanged) this.#blocksWentBack.add(this.#blockOf(formerly));
  }

  #noteAge(stat: Stat, formerly: Stat): void {
    if (wentBack(stat, formerly)) this.#blocksWentBack.add(this.#blockOf(stat));
    if (this.#olderAtNs === null || formerly.ctimeNs <= this.#olderAtNs || !isHeir(stat, formerly)) return;
    if (stat.ctimeNs >= formerly.ctimeNs) this.#blocksOfNow.add(this.#blockOf(stat));
  }

  #hasBlockGoneBack(stat: Stat): boolean {
    const block = this.#blockOf(stat);
    return this.#blocksWentBack.has(block) && !this.#blocksOfNow.has(block);
  }

  /** The newest generation has no such inode here. */
  #noteUnknown(group: PathGroup, stat: Stat, newest: Expectation | null): void {
    this.#unknown.add(stat.inode, group.path);
    if (stat.type === 'directory' && this.#newDirectories.size < PATHS_AT_MOST)
      this.#newDirectories.set(group.path, stat);
    if (this.#newestAtNs !== null && stat.ctimeNs <= this.#newestAtNs) this.#blocksOfOld.add(this.#blockOf(stat));
    if (this.#namesOfOld.size >= PATHS_AT_MOST) return;
    if (newest?.stat?.inode === stat.inode) return;
    if (group.expected.some(expectation => expectation.stat?.inode === stat.inode)) this.#namesOfOld.add(group.path);
  }

  /** Leaves the directories that the path is not below. */
  #enter(path: BytePath): void {
    for (let last = this.#above.at(-1); last !== undefined && !isBelow(path, last.path); last = this.#above.at(-1))
      this.#leave();
  }

  /** A directory has two links and one for each subdirectory; a count of 1 means that nobody counts. */
  #leave(): void {
    const left = this.#above.pop();
    if (left === undefined) return;
    const youngestNs = this.#youngerChild.get(left.path)?.stat.crtimeNs ?? 0n;
    if (youngestNs - left.stat.ctimeNs > CLOCK_TICK_NS) this.#blocksOfOld.add(this.#blockOf(left.stat));
    if (left.stat.links < 2 || left.unread || this.#selective) return;
    const lost = left.stat.links - 2 - left.subdirectories;
    if (lost < 0) this.#blocksOfOld.add(this.#blockOf(left.stat));
    if (lost > 0 && this.#lostSubdirectories.size < PATHS_AT_MOST) this.#lostSubdirectories.set(left.path, lost);
  }

  /**
   * Mounted-over directories count as well, and names that are said to be directories: those whose inode could not be had, and
   * second names, which nobody counted when they were made for what had the number then.
   */
  #countSubdirectory(path: BytePath, entry: SpoolEntry): void {
    const directory = this.#above.at(-1);
    if (directory?.path !== parentPath(path)) return;
    const type = entry.viaSecondName ? entry.direntType : (entry.stat?.type ?? entry.direntType);
    if (type === 'directory') directory.subdirectories++;
  }

  /** Keeps the entry that was born last after its directory's change, of those that a kernel made. */
  #noteChild(path: BytePath, stat: Stat): void {
    const directory = this.#above.at(-1);
    if (directory === undefined || directory.path !== parentPath(path)) return;
    if (stat.crtimeNs === null || stat.crtimeNs <= directory.stat.ctimeNs || !isStampedByKernel(stat)) return;
    if (path === LOST_AND_FOUND || directory.path === LOST_AND_FOUND) return;
    const youngest = this.#youngerChild.get(directory.path)?.stat.crtimeNs ?? 0n;
    if (stat.crtimeNs > youngest) this.#youngerChild.set(directory.path, { path, stat });
  }
}

interface OpenDirectory {
  readonly path: BytePath;
  readonly stat: Stat;
  subdirectories: number;
  /** Its listing was not whole. */
  readonly unread: boolean;
  /** It is the inode that the newest generation had, and has not been changed since. */
  readonly unchanged: boolean;
}

function openDirectory({ path, entry }: PathGroup, stat: Stat, formerly: Stat | null): OpenDirectory {
  const unchanged = isHeir(stat, formerly) && stat.ctimeNs <= (formerly?.ctimeNs ?? 0n);
  return { path, stat, subdirectories: 0, unread: entry?.fault != null, unchanged };
}

/** The inode stands where the newest generation had it, and is older: one of a time before it, or of a birth before its. */
function wentBack(stat: Stat, formerly: Stat): boolean {
  if (stat.inode !== formerly.inode) return false;
  if (isHeir(stat, formerly)) return stat.ctimeNs < formerly.ctimeNs;
  return stat.crtimeNs !== null && formerly.crtimeNs !== null && stat.crtimeNs < formerly.crtimeNs;
}

/** The same expectation for another path; its block list stays packed. */
function asAt(expectation: Expectation, path: BytePath): Expectation {
  return Object.defineProperties(
    {},
    {
      ...Object.getOwnPropertyDescriptors(expectation),
      path: { value: path, enumerable: true },
    },
  ) as Expectation;
}

function isHeir(stat: Stat, formerly: Stat | null): boolean {
  if (formerly === null || stat.type !== formerly.type || stat.inode !== formerly.inode) return false;
  return stat.crtimeNs === null || formerly.crtimeNs === null || stat.crtimeNs === formerly.crtimeNs;
}
