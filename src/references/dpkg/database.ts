// Where a dpkg database lies and which files it has: finding it, its packages, and each package's files in `info`.

import type { Entry, Filesystem } from '../../filesystems/filesystem.ts';
import type { BytePath } from '../../model.ts';
import { baseName, childPath } from '../../path.ts';
import { PathResolver } from '../../tree/resolve-path.ts';
import { Diversions, parseDiversions } from './diversions.ts';
import type { Report } from './lines.ts';
import { type Package, parseStatus } from './packages.ts';
import { readFile } from './read-file.ts';
import type { Troubles } from './troubles.ts';

export interface DpkgSource {
  readonly filesystem: Filesystem;
  /** The directory that holds `status` and `info`. */
  readonly admin: BytePath;
}

/** The files of one package in `info`; null where there is none. */
export interface InfoFiles {
  /** The name that they share: `bash`, `libc6:amd64`. */
  readonly stem: string;
  readonly list: Entry | null;
  readonly md5sums: Entry | null;
  readonly conffiles: Entry | null;
}

const ADMIN = '/var/lib/dpkg';
const STATUS_CODE = 'dpkg-status';

/** The database of a system's root, or the one whose own directory the root is; null when it is neither. */
export function findDpkgDatabase(filesystem: Filesystem): DpkgSource | null {
  const resolver = new PathResolver(filesystem);
  const directory = [ADMIN, '/'].map(path => resolver.directory(path)).find(found => holdsDatabase(filesystem, found));
  return directory === undefined || directory === null ? null : { filesystem, admin: directory.path };
}

/** A directory that cannot be listed whole may hold one. */
function holdsDatabase(filesystem: Filesystem, directory: Entry | null): boolean {
  if (directory === null) return false;
  const listing = filesystem.list(directory);
  const names = new Set([...listing.entries].map(entry => baseName(entry.path)));
  if (names.has('info') && (names.has('status') || names.has('status-old'))) return true;
  return directory.path !== '/' && (listing.fault !== null || names.has('info') || names.has('status'));
}

export class DpkgDatabase {
  readonly statusPath: BytePath;
  readonly infoPath: BytePath;
  readonly #filesystem: Filesystem;
  readonly #admin: BytePath;
  readonly #resolver: PathResolver;
  readonly #troubles: Troubles;

  constructor(source: DpkgSource, troubles: Troubles) {
    this.#filesystem = source.filesystem;
    this.#admin = source.admin;
    this.#resolver = new PathResolver(source.filesystem);
    this.#troubles = troubles;
    this.statusPath = childPath(source.admin, 'status');
    this.infoPath = childPath(source.admin, 'info');
  }

  /** By `name:architecture`; what is pending in `updates` (an interrupted dpkg leaves it there) counts over `status`. */
  packages(): Map<string, Package> {
    const packages = this.#status('status') ?? this.oldPackages();
    for (const name of this.#updates()) {
      for (const [key, subject] of this.#status(`updates/${name}`) ?? []) packages.set(key, subject);
    }
    return packages;
  }

  /** Those of `status-old`, the status before dpkg's last change; empty when there is none. */
  oldPackages(): Map<string, Package> {
    const entry = this.#resolver.target(childPath(this.#admin, 'status-old'));
    return entry === null ? new Map() : (this.#status('status-old') ?? new Map());
  }

  diversions(): Diversions {
    const path = childPath(this.#admin, 'diversions');
    if (this.#resolver.entry(path) === null) return new Diversions(new Map());
    const bytes = this.#read(path);
    return bytes === null ? new Diversions(new Map()) : parseDiversions(bytes, this.reporter(path, 'dpkg-diversions'));
  }

  /** By stem. */
  infoFiles(): Map<string, InfoFiles> {
    const files = new Map<string, InfoFiles>();
    const directory = this.#resolver.directory(this.infoPath);
    if (directory === null) {
      this.#troubles.add(this.infoPath, 'ENOENT', 'the directory is not there: nothing is known of any package');
      return files;
    }
    const { entries, fault } = this.#filesystem.list(directory);
    for (const entry of entries) {
      if (entry.stat !== null) addInfoFile(files, entry);
      else this.#troubles.add(entry.path, entry.fault.code, entry.fault.message);
    }
    if (fault !== null) this.#troubles.add(this.infoPath, fault.code, fault.message);
    return files;
  }

  /** Null when it cannot be opened, which has been told. */
  read(file: Entry): Buffer | null {
    return readFile(this.#filesystem, file, this.#troubles);
  }

  reporter(path: BytePath, code: string): Report {
    return (line, message) => this.#troubles.add(path, code, message, line);
  }

  #status(name: string): Map<string, Package> | null {
    const path = childPath(this.#admin, name);
    const bytes = this.#read(path);
    return bytes === null ? null : parseStatus(bytes, this.reporter(path, STATUS_CODE));
  }

  /** The names of the pending updates: numbers of equal width, in their order. */
  #updates(): string[] {
    const directory = this.#resolver.directory(childPath(this.#admin, 'updates'));
    if (directory === null) return [];
    const names = [...this.#filesystem.list(directory).entries].map(entry => baseName(entry.path));
    return names.filter(name => /^\d+$/.test(name)).sort();
  }

  #read(path: BytePath): Buffer | null {
    const entry = this.#resolver.target(path);
    if (entry === null) this.#troubles.add(path, 'ENOENT', 'the file is not there');
    else if (entry.stat === null) this.#troubles.add(path, entry.fault.code, entry.fault.message);
    else if (entry.stat.type !== 'file') this.#troubles.add(path, 'EINVAL', `is a ${entry.stat.type}, not a file`);
    else return this.read(entry);
    return null;
  }
}

function addInfoFile(files: Map<string, InfoFiles>, entry: Entry): void {
  const name = baseName(entry.path);
  const dot = name.lastIndexOf('.');
  const stem = name.slice(0, dot);
  const kind = name.slice(dot + 1);
  if (entry.stat.type !== 'file' || (kind !== 'list' && kind !== 'md5sums' && kind !== 'conffiles')) return;
  const known = files.get(stem) ?? { stem, list: null, md5sums: null, conffiles: null };
  files.set(stem, { ...known, [kind]: entry });
}
