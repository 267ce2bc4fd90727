// Fills the claims from a database, package by package: lists first, then digests, then configuration files.

import type { Filesystem } from '../../filesystems/filesystem.ts';
import type { BytePath, ScanError } from '../../model.ts';
import { PathResolver } from '../../tree/resolve-path.ts';
import { Claims } from './claims.ts';
import { DpkgDatabase, type DpkgSource } from './database.ts';
import { parseFileList } from './file-list.ts';
import { describeInstalled, type InstalledPackage } from './installed-package.ts';
import { unreported } from './lines.ts';
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
    for (const subject of subjects) {
      if (!isUnpacked(subject.package)) continue;
      this.#claims.begin(describe(subject));
      const listIsWhole = this.#loadList(subject);
      this.#loadSums(subject, listIsWhole);
      this.#loadConffiles(subject);
    }
    // Last, because the claim of any package that still has the file counts more.
    for (const subject of subjects) {
      const leftovers = subject.package.conffiles.filter(conffile => isLeftover(subject, conffile));
      if (leftovers.length > 0) this.#claims.begin(describe(subject));
      for (const conffile of leftovers) this.#loadLeftover(subject.package.name, conffile);
    }
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
  #loadSums({ package: { name }, files }: Subject, listIsWhole: boolean): void {
    const md5sums = files?.md5sums ?? null;
    const bytes = md5sums === null ? null : this.#database.read(md5sums);
    if (md5sums === null || bytes === null) return;
    for (const sum of parseSums(bytes, this.#database.reporter(md5sums.path, SUMS_CODE))) {
      const known = this.#paths.knownNodeOf(name, sum.path);
      if (known !== NO_NODE && this.#claims.isListed(known)) this.#claims.content(known, sum.algorithm, sum.digest);
      else if (!listIsWhole && sum.sound) this.#loadUnlisted(name, sum);
    }
  }

  /** Where the list is lost or broken, its package's digests say what there is, unless the path is another's. */
  #loadUnlisted(name: string, sum: SumLine): void {
    const node = this.#paths.nodeOf(name, sum.path);
    if (node === NO_NODE || this.#claims.isOwned(node)) return;
    this.#claims.list(node);
    this.#claims.content(node, sum.algorithm, sum.digest);
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
    if (behind !== NO_NODE) this.#claims.list(behind);
    this.#claims.conffile(behind === NO_NODE ? node : behind, conffile.md5);
  }
}

/** Left behind by a removal or an older version: it counts where nobody else has the path. */
function isLeftover(subject: Subject, conffile: Conffile): boolean {
  return conffile.obsolete || subject.package.state === 'config-files';
}
