// Which packages a database speaks of: those of the status file, each with its files in `info`, and those whose files are
// there although the status file has lost them.

import type { Entry } from '../../filesystems/filesystem.ts';
import type { BytePath } from '../../model.ts';
import { childPath } from '../../path.ts';
import type { PathResolver } from '../../tree/resolve-path.ts';
import type { DpkgDatabase, InfoFiles } from './database.ts';
import { leavesOf, parseFileList } from './file-list.ts';
import { unreported } from './lines.ts';
import { LIST_CODE } from './manifest.ts';
import { parseSums } from './md5sums.ts';
import { isArchitecture, isPackageName } from './package-name.ts';
import { isUnpacked, keyOf, type Package } from './packages.ts';
import type { Troubles } from './troubles.ts';

/** A package and its files in `info`. */
export interface Subject {
  readonly package: Package;
  readonly files: InfoFiles | null;
}

/** A package that the status file does not name is believed if at least half of so many of its paths are there. */
const SAMPLED_PATHS = 16;

/** Sorted by name and architecture. Packages of which nothing can be expected are told of and left out. */
export function findSubjects(database: DpkgDatabase, resolver: PathResolver, troubles: Troubles): Subject[] {
  const files = database.infoFiles();
  const named = assignFiles(database.packages().values(), files);
  const subjects = named.filter(subject => isUsable(subject, database, troubles));
  tellLostDigests(
    subjects.filter(subject => isUnpacked(subject.package)),
    database,
    troubles,
  );
  const orphans = new Orphans(database, resolver, troubles);
  for (const unnamed of files.values()) {
    const subject = orphans.subjectOf(unnamed);
    if (subject !== null) subjects.push(subject);
  }
  return subjects.sort((left, right) => (keyOf(left.package) < keyOf(right.package) ? -1 : 1));
}

/** Takes each package's files out of `files`; the installed ones first, should two claim one name. */
function assignFiles(packages: Iterable<Package>, files: Map<string, InfoFiles>): Subject[] {
  const ordered = [...packages].sort((left, right) => Number(isUnpacked(right)) - Number(isUnpacked(left)));
  return ordered.map(subject => {
    const own = filesOfPackage(files, subject);
    if (own !== null) files.delete(own.stem);
    return { package: subject, files: own };
  });
}

/** dpkg keeps the architecture in the name of files of "Multi-Arch: same" packages. */
function filesOfPackage(files: ReadonlyMap<string, InfoFiles>, subject: Package): InfoFiles | null {
  const plain = files.get(subject.name);
  const qualified = files.get(keyOf(subject));
  const [first, second] = subject.multiArchSame ? [qualified, plain] : [plain, qualified];
  return first ?? second ?? null;
}

function isUsable({ package: subject, files }: Subject, database: DpkgDatabase, troubles: Troubles): boolean {
  if (subject.state === 'not-installed') return false;
  if (subject.broken || subject.state === 'half-installed') {
    troubles.add(database.statusPath, 'dpkg-half-installed', `${subject.name} is half installed: not checked`);
    return false;
  }
  if (files?.list || !isUnpacked(subject)) return true;
  const path = childPath(database.infoPath, `${files?.stem ?? subject.name}.list`);
  troubles.add(path, 'ENOENT', `the list of the installed package ${subject.name} is not there`);
  return true;
}

/** A package of nothing but `/.`: what equivs makes. */
const EMPTY_LIST_BYTES = '/.\n'.length;

/** dpkg makes the digests that a package does not bring, since 1.16.3 of 2012: an older system lacks those of many packages. */
function tellLostDigests(subjects: readonly Subject[], database: DpkgDatabase, troubles: Troubles): void {
  const lacking = subjects.filter(({ files }) => files?.md5sums == null && holdsFiles(files?.list ?? null));
  if (lacking.length * 2 > subjects.length) return;
  for (const { package: subject, files } of lacking) {
    const path = childPath(database.infoPath, `${files?.stem ?? subject.name}.md5sums`);
    const message = `the digests of the installed package ${subject.name} are not there: they vouch for none of its files`;
    troubles.add(path, 'ENOENT', message);
  }
}

function holdsFiles(list: Entry | null): boolean {
  return (list?.stat?.sizeBytes ?? 0) > EMPTY_LIST_BYTES;
}

/** Files in `info` whose package the status file does not name. */
class Orphans {
  readonly #database: DpkgDatabase;
  readonly #resolver: PathResolver;
  readonly #troubles: Troubles;
  #old: ReadonlyMap<string, Package> | null = null;

  constructor(database: DpkgDatabase, resolver: PathResolver, troubles: Troubles) {
    this.#database = database;
    this.#resolver = resolver;
    this.#troubles = troubles;
  }

  /** The package as the last status file had it, or what its name tells; null when its files are not there either. */
  subjectOf(files: InfoFiles): Subject | null {
    if (files.list === null) return null;
    const believed = this.#areThere(this.#listed(files.list)) || this.#areThere(this.#digested(files.md5sums));
    const outcome = believed ? 'its paths are there, and expected' : 'its paths are not there: not expected';
    this.#troubles.add(
      files.list.path,
      LIST_CODE,
      `is the list of a package that the status file does not name; ${outcome}`,
    );
    if (!believed) return null;
    const subject = this.#lookUp(files.stem) ?? packageOfStem(files.stem);
    return subject === null ? null : { package: subject, files };
  }

  #lookUp(stem: string): Package | null {
    this.#old ??= this.#database.oldPackages();
    const known = [...this.#old.values()].find(old => old.name === stem || keyOf(old) === stem);
    return known !== undefined && isUnpacked(known) ? known : null;
  }

  #listed(list: Entry): BytePath[] {
    const bytes = this.#database.read(list);
    return bytes === null ? [] : leavesOf([...parseFileList(bytes, unreported)]);
  }

  #digested(md5sums: Entry | null): BytePath[] {
    const bytes = md5sums === null ? null : this.#database.read(md5sums);
    return bytes === null ? [] : [...parseSums(bytes, unreported)].map(sum => sum.path);
  }

  /** Whether most of the first of them are. */
  #areThere(paths: readonly BytePath[]): boolean {
    const sample = paths.slice(0, SAMPLED_PATHS);
    const present = sample.filter(path => this.#resolver.entry(path) !== null);
    return present.length > 0 && present.length * 2 >= sample.length;
  }
}

/** What its stem tells of a package; null when it can be none's. */
function packageOfStem(stem: string): Package | null {
  const [name = '', architecture = null, ...rest] = stem.split(':');
  if (!isPackageName(name) || rest.length > 0) return null;
  if (architecture !== null && !isArchitecture(architecture)) return null;
  return {
    name,
    architecture,
    version: null,
    state: 'installed',
    broken: false,
    multiArchSame: architecture !== null,
    conffiles: [],
    replaces: new Set(),
  };
}
