// Fills the claims from a database, package by package: lists first, then digests, then configuration files.

import type { Filesystem } from '../../filesystems/filesystem.ts';
import type { BytePath, ScanError } from '../../model.ts';
import { PathResolver } from '../../tree/resolve-path.ts';
import { Claims } from './claims.ts';
import { DpkgDatabase, type DpkgSource } from './database.ts';
import { parseFileList } from './file-list.ts';
import { describeInstalled, type InstalledPackage } from './installed-package.ts';
import { unreported } from './lines.ts';
import { LIST_CODE, type Manifest, readManifest } from './manifest.ts';
import type { SumLine } from './md5sums.ts';
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
  const describe = (subject: Subject) => describeSubject(subject, source.filesystem === target, native);
  // What is read a second time has been complained of.
  const again = new DpkgDatabase(source, new Troubles());
  new Loader(claims, database, paths, troubles).load(subjects, describe, again);
  return { claims, errors: troubles.rows() };
}

function describeSubject(subject: Subject, inPlace: boolean, native: string | null): InstalledPackage {
  return describeInstalled(subject.package, subject.files, inPlace, native);
}

class Loader {
  readonly #claims: Claims;
  readonly #database: DpkgDatabase;
  readonly #paths: TargetPaths;
  readonly #troubles: Troubles;

  constructor(claims: Claims, database: DpkgDatabase, paths: TargetPaths, troubles: Troubles) {
    this.#claims = claims;
    this.#database = database;
    this.#paths = paths;
    this.#troubles = troubles;
  }

  load(subjects: readonly Subject[], describe: (subject: Subject) => InstalledPackage, again: DpkgDatabase): void {
    const unpacked = subjects.filter(subject => isUnpacked(subject.package));
    const unsure = unpacked.filter(subject => {
      this.#claims.begin(describe(subject));
      return !this.#loadSure(subject);
    });
    // Then what counts only where nobody else has the path: by now all sure claims are known.
    for (const subject of unsure) {
      this.#claims.begin(describe(subject));
      this.#loadUnsure(subject, readManifest(again, subject.files));
    }
    for (const subject of subjects) {
      const leftovers = subject.package.conffiles.filter(conffile => isLeftover(subject, conffile));
      if (leftovers.length > 0) this.#claims.begin(describe(subject));
      for (const conffile of leftovers) this.#loadLeftover(subject.package.name, conffile);
    }
  }

  /** Returns whether that was all: the list is whole, and names all paths that have digests. */
  #loadSure(subject: Subject): boolean {
    const { name } = subject.package;
    const manifest = readManifest(this.#database, subject.files);
    if (manifest.state === 'sound') {
      for (const path of manifest.paths) {
        const node = this.#paths.nodeOf(name, path);
        if (node !== NO_NODE) this.#claims.list(node);
      }
      for (const sum of manifest.sums) this.#loadListed(name, sum);
    }
    this.#loadConffiles(subject);
    return manifest.state === 'sound' && manifest.unlisted.length === 0;
  }

  #loadListed(name: string, sum: SumLine): void {
    const node = this.#paths.knownNodeOf(name, sum.path);
    if (node !== NO_NODE && this.#claims.isListed(node)) this.#claims.content(node, sum.algorithm, sum.digest);
  }

  /**
   * Where a list is lost, its digests say what there is; where it may be wrong, only what is there is believed. What is left
   * of a broken list may be another package's, and takes no path from anybody.
   */
  #loadUnsure(subject: Subject, manifest: Manifest): void {
    const { name } = subject.package;
    const believed = (path: BytePath) => manifest.state === 'holed' || this.#paths.isThere(name, path);
    if (manifest.state !== 'sound') {
      for (const path of manifest.paths) if (believed(path)) this.#listUnowned(name, path);
      for (const sum of manifest.sums) this.#loadListed(name, sum);
    }
    let added = 0;
    for (const sum of manifest.unlisted) {
      const node = believed(sum.path) ? this.#listUnowned(name, sum.path) : NO_NODE;
      if (node === NO_NODE) continue;
      this.#claims.content(node, sum.algorithm, sum.digest);
      added++;
    }
    const list = subject.files?.list ?? null;
    if (list === null || manifest.state === 'holed' || added === 0) return;
    this.#troubles.add(list.path, LIST_CODE, `does not name ${added} files of the package's md5sums that are there`);
  }

  /** The node, if nobody had it; else NO_NODE. */
  #listUnowned(name: string, path: BytePath): number {
    const node = this.#paths.nodeOf(name, path);
    if (node === NO_NODE || this.#claims.isOwned(node)) return NO_NODE;
    this.#claims.list(node);
    return node;
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
