// Fills the claims from a database, package by package: lists first, then digests, then configuration files.

import type { Entry, Filesystem } from '../../filesystems/filesystem.ts';
import type { BytePath, ScanError } from '../../model.ts';
import { PathResolver } from '../../tree/resolve-path.ts';
import { Claims } from './claims.ts';
import { DpkgDatabase, type DpkgSource } from './database.ts';
import { parseFileList } from './file-list.ts';
import { describeInstalled, type InstalledPackage } from './installed-package.ts';
import { type Report, unreported } from './lines.ts';
import { parseSums, type SumLine } from './md5sums.ts';
import { type Conffile, isUnpacked } from './packages.ts';
import { readPathFilter } from './path-filter.ts';
import { NO_NODE } from './path-tree.ts';
import { findSubjects, type Subject } from './subjects.ts';
import { TargetPaths } from './target-paths.ts';
import { Troubles } from './troubles.ts';

export interface LoadedClaims {
  readonly claims: Claims;
  readonly errors: readonly ScanError[];
}

/** @param target where the paths are to stand; the database may be another file system's. */
export function loadClaims(target: Filesystem, source: DpkgSource): LoadedClaims {
  const troubles = new Troubles();
  const claims = new Claims();
  const database = new DpkgDatabase(source, troubles);
  const resolver = new PathResolver(target);
  const filter = readPathFilter(target, resolver, troubles);
  const paths = new TargetPaths(claims.tree, resolver, filter, database.diversions());
  const subjects = findSubjects(database, resolver, troubles);
  const native = subjects.find(subject => subject.package.name === 'dpkg')?.package.architecture ?? null;
  const loader = new Loader(claims, database, paths);
  loader.load(subjects, subject => describeSubject(subject, source.filesystem === target, native));
  return { claims, errors: troubles.rows() };
}

function describeSubject(subject: Subject, inPlace: boolean, native: string | null): InstalledPackage {
  const written = subject.files?.list ?? subject.files?.md5sums ?? null;
  return describeInstalled(subject.package, written?.stat ?? null, inPlace, native);
}

const LIST_CODE = 'dpkg-list';
const SUMS_CODE = 'dpkg-md5sums';

class Loader {
  readonly #claims: Claims;
  readonly #database: DpkgDatabase;
  readonly #paths: TargetPaths;

  constructor(claims: Claims, database: DpkgDatabase, paths: TargetPaths) {
    this.#claims = claims;
    this.#database = database;
    this.#paths = paths;
  }

  load(subjects: readonly Subject[], describe: (subject: Subject) => InstalledPackage): void {
    const unpacked = subjects.filter(subject => isUnpacked(subject.package));
    const holed = unpacked.filter(subject => {
      this.#claims.begin(describe(subject));
      return !this.#loadPackage(subject);
    });
    // Then what counts only where no sound list has the path: other packages' claims must be known.
    for (const subject of holed) {
      this.#claims.begin(describe(subject));
      this.#loadUnlisted(subject);
    }
    for (const subject of subjects) {
      const leftovers = subject.package.conffiles.filter(conffile => isLeftover(subject, conffile));
      if (leftovers.length > 0) this.#claims.begin(describe(subject));
      for (const conffile of leftovers) this.#loadLeftover(subject.package.name, conffile);
    }
  }

  /** Returns whether its list names all that the package has. */
  #loadPackage(subject: Subject): boolean {
    const listIsWhole = this.#loadList(subject);
    this.#loadListedSums(subject);
    this.#loadConffiles(subject);
    return listIsWhole;
  }

  /** Returns whether the list names all that the package has. */
  #loadList({ package: { name }, files }: Subject): boolean {
    const list = files?.list ?? null;
    const bytes = list === null ? null : this.#database.read(list);
    if (list === null || bytes === null) return false;
    const report = this.#database.reporter(list.path, LIST_CODE);
    let isWhole = true;
    const paths = parseFileList(bytes, (line, message) => {
      isWhole = false;
      report(line, message);
    });
    for (const path of paths) {
      const node = this.#paths.nodeOf(name, path);
      if (node !== NO_NODE) this.#claims.list(node);
    }
    return isWhole;
  }

  /** A digest whose path the list does not name is that of a file which another package took over. */
  #loadListedSums({ package: { name }, files }: Subject): void {
    const md5sums = files?.md5sums ?? null;
    if (md5sums === null) return;
    for (const sum of this.#readSums(md5sums, this.#database.reporter(md5sums.path, SUMS_CODE))) {
      const node = this.#paths.knownNodeOf(name, sum.path);
      if (node !== NO_NODE && this.#claims.isListed(node)) this.#claims.content(node, sum.algorithm, sum.digest);
    }
  }

  /** Where the list is lost or broken, its package's digests say what there is. */
  #loadUnlisted({ package: { name }, files }: Subject): void {
    const md5sums = files?.md5sums ?? null;
    if (md5sums === null) return;
    for (const sum of this.#readSums(md5sums, unreported)) {
      const node = sum.sound ? this.#paths.nodeOf(name, sum.path) : NO_NODE;
      if (node === NO_NODE || this.#claims.isOwned(node)) continue;
      this.#claims.list(node);
      this.#claims.content(node, sum.algorithm, sum.digest);
    }
  }

  #readSums(md5sums: Entry, report: Report): Iterable<SumLine> {
    const bytes = this.#database.read(md5sums);
    return bytes === null ? [] : parseSums(bytes, report);
  }

  #loadConffiles(subject: Subject): void {
    const { name, conffiles } = subject.package;
    const known = new Set(conffiles.map(conffile => conffile.path));
    for (const conffile of conffiles) if (!isLeftover(subject, conffile)) this.#loadConffile(name, conffile);
    // The package's own names for them still tell when the stanza was damaged: no digest, but to be edited.
    for (const path of this.#namedConffiles(subject)) {
      if (!known.has(path)) this.#loadConffile(name, { path, md5: null, unsettled: false, obsolete: false });
    }
  }

  /** info/PACKAGE.conffiles: paths, one a line; flags such as "remove-on-upgrade" stand before a path. */
  *#namedConffiles({ files }: Subject): Iterable<BytePath> {
    const bytes = files?.conffiles ? this.#database.read(files.conffiles) : null;
    if (bytes === null) return;
    for (const path of parseFileList(bytes, unreported)) yield path;
  }

  #loadLeftover(name: string, conffile: Conffile): void {
    const node = this.#paths.nodeOf(name, conffile.path);
    if (node !== NO_NODE && !this.#claims.isSettled(node)) this.#loadConffile(name, conffile);
  }

  /** dpkg follows a symlink in a configuration file's place, and keeps the content where it leads. */
  #loadConffile(name: string, conffile: Conffile): void {
    const node = this.#paths.nodeOf(name, conffile.path);
    if (node === NO_NODE) return;
    if (conffile.unsettled) {
      if (this.#claims.isListed(node)) this.#claims.forget(node);
      return;
    }
    this.#claims.list(node);
    const behind = this.#paths.nodeBehindLink(name, conffile.path);
    if (behind !== NO_NODE) {
      this.#claims.withdrawContent(node);
      this.#claims.list(behind);
    }
    this.#claims.conffile(behind === NO_NODE ? node : behind, conffile.md5);
  }
}

/** Left behind by a removal or an older version: it counts where nobody else has the path. */
function isLeftover(subject: Subject, conffile: Conffile): boolean {
  return conffile.obsolete || subject.package.state === 'config-files';
}
