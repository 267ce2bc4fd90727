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
      return { entries: this.#entries(directory.path, inode, content), fault: listingFault(content) };
    } catch (error) {
      return { entries: [], fault: faultOf(error) };
    }
  }

  *#entries(path: BytePath, directory: I, content: DirectoryContent): Iterable<Entry | LostEntry> {
    const directories = new Set<number>();
    let previous: DirectoryRecord | null = null;
    for (const record of [...content.records].sort(byName)) {
      if (previous?.name === record.name) this.#duplicate(directory, record);
      else yield this.#entry(path, directory, record, directories);
      previous = record;
    }
  }

  #entry(path: BytePath, directory: I, record: DirectoryRecord, directories: Set<number>): Entry | LostEntry {
    const child = childPath(path, record.name);
    try {
      if (record.fault !== undefined) throw record.fault;
      const inode = this.#volume.inode(record.inode);
      if (inode.type === 'directory') this.#checkHome(directory, record, inode, !directories.has(inode.number));
      if (inode.type === 'directory') directories.add(inode.number);
      return entryOf(child, inode, record);
    } catch (error) {
      return { path: child, stat: null, direntType: record.type, fault: faultOf(this.#volume.damage.keep(error)) };
    }
  }

  #checkHome(directory: I, record: DirectoryRecord, child: I, first: boolean): void {
    if (this.#tree.isHome(directory.number, record.name, child, first)) return;
    const what = `entry ${JSON.stringify(record.name)} of directory inode ${directory.number}`;
    throw new DamageError(what, child.location, `inode ${child.number}`, 'a directory without another name', 'ELOOP');
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
