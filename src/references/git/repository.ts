// One repository with a working tree: where its index and settings lie (gitrepository-layout(5)), and what of the tree git may store
// otherwise than it stands there. Linked working trees and submodules name their repository in a file `.git`.

import { DamageError, ReadError, UnsupportedError, unlessRefused } from '../../errors.ts';
import type { Entry, Filesystem } from '../../filesystems/filesystem.ts';
import type { BytePath } from '../../model.ts';
import { baseName, childPath, comparePaths, isBelow, parentPath } from '../../path.ts';
import type { PathResolver } from '../../tree/resolve-path.ts';
import { convertsContent, type GitSettings, parseSettings } from './conversions.ts';
import { type BlobRead, blobRead, type IndexFile } from './index-entry.ts';
import { type IndexRecord, type ObjectFormat, readIndex } from './read-index.ts';
import { readText, readWholeFile } from './small-file.ts';

/** A million files or so; read into memory whole. */
const LARGEST_INDEX_BYTES = 128 * 1024 * 1024;
/** A path on one line. */
const LARGEST_LINK_BYTES = 8192;
const ATTRIBUTES = '.gitattributes';
/** No name that git would put into a working tree: empty parts, dots, its own directory. */
const UNSAFE_NAME = /(?:^|\/)(?:\.{0,2}|\.git)(?:\/|$)/i;

/** What the index says of one path of the volume. */
export interface TrackedFile extends BlobRead {
  readonly path: BytePath;
  readonly format: ObjectFormat;
}

/** A repository whose settings were read. */
export interface Repository {
  readonly worktree: BytePath;
  /** Holds the index. */
  readonly directory: Entry;
  readonly format: ObjectFormat;
  /** Directories of the working tree whose attributes have content converted. */
  readonly converted: readonly BytePath[];
  /** Those whose attributes were read from the tree. */
  readonly described: ReadonlySet<BytePath>;
}

/**
 * Null where there is no repository or index, or all of its content may be converted.
 * @param attributes the files of attributes in its working tree.
 * Throws ReadError, DamageError or UnsupportedError for what is there and cannot be had.
 */
export function openRepository(
  filesystem: Filesystem,
  resolver: PathResolver,
  dotGit: Entry,
  attributes: readonly Entry[],
): Repository | null {
  const directory = dotGit.stat.type === 'directory' ? dotGit : linkedDirectory(filesystem, resolver, dotGit);
  if (directory === null || fileIn(filesystem, directory, 'index') === null) return null;
  const common = commonDirectory(filesystem, resolver, directory);
  const settings = common === null ? null : settingsOf(filesystem, directory, common);
  if (common === null || settings === null || mayBeConverted(filesystem, resolver, common, settings)) return null;
  const converted = attributes.filter(file => mayConvert(filesystem, file)).map(directoryOf);
  const described = new Set(attributes.map(directoryOf));
  return { worktree: directoryOf(dotGit), directory, format: settings.format, converted, described };
}

/** What a file of attributes cannot be asked for, it may say. */
export function mayConvert(filesystem: Filesystem, file: Entry): boolean {
  if (file.stat.type !== 'file') return true;
  const text = unlessRefused(() => readText(filesystem, file));
  return text === null || convertsContent(text);
}

/** The files that its index can vouch for, in tree order; the index is read by then. Throws like openRepository. */
export function trackedFiles(filesystem: Filesystem, repository: Repository): Iterable<TrackedFile> {
  const { directory, format } = repository;
  const file = fileIn(filesystem, directory, 'index');
  if (file === null) return [];
  const { bytes, mtimeNs } = readWholeFile(filesystem, file, LARGEST_INDEX_BYTES);
  const { records, isChecked } = readIndex(bytes, format);
  const unsafe = records.find(({ name }) => UNSAFE_NAME.test(name.replace(/\/$/, '')));
  if (unsafe !== undefined) throw new DamageError('git index', unsafe.at, JSON.stringify(unsafe.name), 'a safe name');
  return filesOf(repository, { bytes, format, isChecked, writtenNs: mtimeNs }, records);
}

function* filesOf(repository: Repository, index: IndexFile, records: readonly IndexRecord[]): Iterable<TrackedFile> {
  const { worktree, format } = repository;
  const converted = [...repository.converted, ...undescribed(repository, records)];
  for (const { name, at } of records.toSorted((left, right) => comparePaths(left.name, right.name))) {
    const blob = blobRead(index, at);
    const path = childPath(worktree, name);
    if (blob !== null && !converted.some(above => isBelow(path, above))) yield { path, format, ...blob };
  }
}

/** Git takes attributes that are not in the working tree from the index; here nobody reads them, so they may say anything. */
function undescribed({ worktree, described }: Repository, records: readonly IndexRecord[]): BytePath[] {
  return records
    .filter(({ name }) => name.endsWith(ATTRIBUTES) && baseName(`/${name}`) === ATTRIBUTES)
    .map(({ name }) => parentPath(childPath(worktree, name)) ?? '/')
    .filter(directory => !described.has(directory));
}

function directoryOf({ path }: Entry): BytePath {
  return parentPath(path) ?? '/';
}

function fileIn(filesystem: Filesystem, directory: Entry, name: string): Entry | null {
  const { entries, fault } = filesystem.list(directory);
  for (const entry of entries) {
    if (baseName(entry.path) !== name) continue;
    if (entry.stat === null) throw new ReadError(entry.path, 0, 0, entry.fault.code);
    return entry.stat.type === 'file' ? entry : null;
  }
  if (fault !== null) throw new ReadError(directory.path, 0, 0, fault.code);
  return null;
}

/** What a file `.git` names: "gitdir: PATH". */
function linkedDirectory(filesystem: Filesystem, resolver: PathResolver, dotGit: Entry): Entry | null {
  if (dotGit.stat.type !== 'file' || dotGit.stat.sizeBytes > LARGEST_LINK_BYTES) return null;
  const [, named] = /^gitdir: (.+?)\n*$/.exec(readText(filesystem, dotGit)) ?? [];
  return named === undefined ? null : resolver.directory(pathFrom(directoryOf(dotGit), named));
}

/** Linked working trees share settings; a repository of its own has them itself. */
function commonDirectory(filesystem: Filesystem, resolver: PathResolver, directory: Entry): Entry | null {
  const link = fileIn(filesystem, directory, 'commondir');
  if (link === null) return directory;
  return resolver.directory(pathFrom(directory.path, readText(filesystem, link).trimEnd()));
}

function pathFrom(directory: BytePath, named: BytePath): BytePath {
  return named.startsWith('/') ? named : childPath(directory, named);
}

/** Null where they name a format that is not known. Those of one working tree only (`config.worktree`) count like includes. */
function settingsOf(filesystem: Filesystem, directory: Entry, common: Entry): GitSettings | null {
  const file = fileIn(filesystem, common, 'config');
  const settings = parseSettings(file === null ? '' : readText(filesystem, file));
  if (settings === null) throw new UnsupportedError('a repository of an unknown object format');
  const own = fileIn(filesystem, directory, 'config.worktree');
  return own === null ? settings : { ...settings, ...namesAttributes(readText(filesystem, own)) };
}

function namesAttributes(text: string): Partial<GitSettings> {
  const more = parseSettings(text);
  return more !== null && more.attributesFile === null && !more.includes ? {} : { includes: true };
}

/** By its own attributes for the whole tree, or by some that are not read. */
function mayBeConverted(
  filesystem: Filesystem,
  resolver: PathResolver,
  common: Entry,
  { attributesFile, includes }: GitSettings,
): boolean {
  if (attributesFile !== null || includes) return true;
  const info = resolver.directory(childPath(common.path, 'info'));
  const file = info === null ? null : fileIn(filesystem, info, 'attributes');
  return file !== null && mayConvert(filesystem, file);
}
