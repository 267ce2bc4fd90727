// Entries by byte paths of a volume that is read by inode numbers: listings, as the kernel's mount would show them.

import type { ByteSource } from '../bytes/byte-source.ts';
import { DamageError, ReadError } from '../errors.ts';
import type { BytePath, Fault, Stat } from '../model.ts';
import { childPath } from '../path.ts';
import { byName, type DirectoryContent, type DirectoryRecord } from './directory-record.ts';
import { DirectoryTree } from './directory-tree.ts';
import { faultOf } from './fault.ts';
import type { Entry, Listing, LostEntry, OpenFile } from './filesystem.ts';
import type { InodeVolume, NamedInode } from './inode-volume.ts';

export class InodeTree<I extends NamedInode> {
  readonly root: Entry;
  readonly #volume: InodeVolume<I>;
  readonly #tree: DirectoryTree<I>;

  /** Throws DamageError when there is no root directory, ReadError. */
  constructor(volume: InodeVolume<I>) {
    this.#volume = volume;
    this.#tree = new DirectoryTree(volume);
    const root = volume.inode(volume.rootInode);
    if (root.type !== 'directory') throw new DamageError('root inode', root.location, String(root.type), 'directory');
    this.root = entryOf('/', root, null);
  }

  inodeOf(entry: Entry): I {
    return this.#volume.inode(Number(entry.stat.inode));
  }

  list(directory: Entry): Listing {
    try {
      const inode = this.inodeOf(directory);
      if (inode.type !== 'directory') throw new ReadError(directory.path, 0, 0, 'ENOTDIR');
      const content = this.#volume.directory(inode);
      return { entries: this.#entries(directory, inode, content), fault: listingFault(content) };
    } catch (error) {
      return { entries: [], fault: faultOf(error) };
    }
  }

  *#entries(directory: Entry, inode: I, content: DirectoryContent): Iterable<Entry | LostEntry> {
    const atHome = new Set<number>();
    let previous: DirectoryRecord | null = null;
    for (const record of [...content.records].sort(byName)) {
      if (previous?.name === record.name) this.#duplicate(inode, record);
      else yield this.#entry(directory, inode, record, atHome);
      previous = record;
    }
  }

  #entry({ path, viaSecondName = false }: Entry, directory: I, record: DirectoryRecord, atHome: Set<number>) {
    const child = childPath(path, record.name);
    try {
      if (record.fault !== undefined) throw record.fault;
      const inode = this.#volume.inode(record.inode);
      if (inode.type !== 'directory') return withWay(entryOf(child, inode, record), viaSecondName);
      const isHome = this.#isHome(directory, record, inode, atHome);
      if (!isHome && viaSecondName) throw elsewhere(directory, record, inode);
      return withWay(entryOf(child, inode, record), viaSecondName || !isHome);
    } catch (error) {
      const fault = faultOf(this.#volume.damage.keep(error));
      return withWay<LostEntry>({ path: child, stat: null, direntType: record.type, fault }, viaSecondName);
    }
  }

  /** False for a second name. Throws DamageError for a name under which the directory is not shown. */
  #isHome(directory: I, record: DirectoryRecord, child: I, atHome: Set<number>): boolean {
    const kind = this.#tree.kindOf(directory.number, record.name, child, !atHome.has(child.number));
    if (kind === 'refused') throw elsewhere(directory, record, child);
    if (kind === 'home') atHome.add(child.number);
    else this.#volume.damage.add(elsewhere(directory, record, child));
    return kind === 'home';
  }

  /** A name that a directory holds twice leads where its first entry does. */
  #duplicate(directory: I, record: DirectoryRecord): void {
    const what = `entry ${JSON.stringify(record.name)} of directory inode ${directory.number}`;
    this.#volume.damage.add(new DamageError(what, directory.location, 'the name twice', 'once'));
  }
}

/** A file's bytes with its inode. Closing it leaves the volume's source open for other files. */
export class InodeFile implements OpenFile {
  readonly size: number;
  readonly name: string;
  readonly #content: ByteSource;
  readonly #stat: Stat;

  /** Throws DamageError for an inode of no type. */
  constructor(content: ByteSource, inode: NamedInode) {
    this.size = content.size;
    this.name = content.name;
    this.#content = content;
    this.#stat = statOf(inode);
  }

  read(into: Uint8Array, at: number): number {
    return this.#content.read(into, at);
  }

  nextData(at: number): number {
    return this.#content.nextData?.(at) ?? at;
  }

  stat(): Stat {
    return this.#stat;
  }

  close(): void {
    // The volume's source stays open for other files.
  }
}

/** A symlink's target up to its first NUL. */
export function linkText(target: Uint8Array): BytePath {
  const text = Buffer.from(target.buffer, target.byteOffset, target.length).toString('latin1');
  const nul = text.indexOf('\0');
  return nul < 0 ? text : text.slice(0, nul);
}

function elsewhere(directory: NamedInode, record: DirectoryRecord, child: NamedInode): DamageError {
  const what = `entry ${JSON.stringify(record.name)} of directory inode ${directory.number}`;
  return new DamageError(what, child.location, `inode ${child.number}`, 'a directory without another name', 'ELOOP');
}

function withWay<T extends Entry | LostEntry>(entry: T, viaSecondName: boolean): T {
  return viaSecondName ? { ...entry, viaSecondName } : entry;
}

function entryOf(path: BytePath, inode: NamedInode, record: DirectoryRecord | null): Entry {
  return { path, stat: statOf(inode), direntType: record?.type ?? null, device: 0n, mountPoint: false };
}

/** A checked inode has a type. */
function statOf(inode: NamedInode): Stat {
  const stat = inode.stat();
  if (stat === null) throw new DamageError(`mode of inode ${inode.number}`, inode.location, 'no type', 'a file type');
  return stat;
}

function listingFault(content: DirectoryContent): Fault | null {
  const [first, ...others] = content.faults;
  if (first === undefined) return null;
  const fault = faultOf(first);
  return others.length === 0 ? fault : { ...fault, message: `${fault.message} (and ${others.length} more)` };
}
