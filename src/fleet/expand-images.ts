// From a list to its targets: an entry whose image is a glob over a folder becomes a target for each image that matches.

import { existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import fastGlob from 'fast-glob';
import { UsageError } from '../errors.ts';
import { piecesAmong } from '../run/image-pieces.ts';
import { readSweepFile, type SweepEntry, type SweepFields } from './sweep-file.ts';

/** One target, named; paths are absolute. */
export interface NamedEntry extends SweepEntry {
  readonly name: string;
  /** What is scanned: an image (with `@SNAPSHOT`, perhaps) or a directory. */
  readonly target: string;
  readonly kind: 'image' | 'directory';
}

/**
 * Each entry's targets, in order; paths count from the list's own directory. Without a name, an image that a glob found is called by its
 * path below the glob's folder, any other as it was written. With a name and a glob: `NAME/` and that path. A glob leaves out pieces of
 * images that it found as well, and what another entry names by itself.
 * UsageError for a list that cannot be read, a glob that finds nothing, and a name that stands there twice.
 */
export function readTargets(file: string): NamedEntry[] {
  const directory = dirname(file);
  const entries = readSweepFile(file);
  const named = entries.flatMap(({ fields }) => namedImages(fields, directory));
  const targets = entries.flatMap(entry => expandEntry(entry, directory, new Set(named)));
  const seen = new Map<string, NamedEntry>();
  for (const entry of targets) {
    const other = seen.get(entry.name);
    if (other !== undefined)
      throw new UsageError(`${entry.place}: the name "${entry.name}" is used twice, first at ${other.place}`);
    seen.set(entry.name, entry);
  }
  return targets;
}

/** Host paths of the images that an entry names without a glob. */
function namedImages({ image, with: others = [] }: SweepFields, directory: string): string[] {
  const own = image === undefined || isGlob(image, directory) ? [] : [image];
  return [...own, ...others].map(each => resolve(directory, each));
}

/** A file that is called like a glob is meant. */
function isGlob(image: string, directory: string): boolean {
  return fastGlob.isDynamicPattern(image) && !existsSync(resolve(directory, image));
}

function expandEntry(entry: SweepEntry, directory: string, named: ReadonlySet<string>): NamedEntry[] {
  const { image, path, name } = entry.fields;
  if (image === undefined) {
    const given = path ?? '';
    return [{ ...entry, kind: 'directory', name: name ?? given, target: resolve(directory, given) }];
  }
  if (isGlob(image, directory)) return globEntries(entry, image, directory, named);
  return [{ ...entry, kind: 'image', name: name ?? image, target: resolve(directory, image) }];
}

function globEntries(entry: SweepEntry, image: string, directory: string, named: ReadonlySet<string>): NamedEntry[] {
  const options = { cwd: directory, absolute: true, onlyFiles: false, markDirectories: true, dot: false };
  const found = fastGlob.sync(image, options).filter(path => !path.endsWith('/'));
  if (found.length === 0) throw new UsageError(`${entry.place}: no file matches ${image}`);
  const pieces = piecesAmong(found);
  const base = resolve(directory, fastGlob.generateTasks(image)[0]?.base ?? '.');
  const prefix = entry.fields.name === undefined ? '' : `${entry.fields.name}/`;
  return found
    .filter(path => !pieces.has(path) && !named.has(path))
    .sort()
    .map(path => ({ ...entry, kind: 'image' as const, name: prefix + relative(base, path), target: path }));
}
