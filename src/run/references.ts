// Gathers the references of a scan: those that the target itself holds, those given, and the generations of a baseline.

import { UsageError } from '../errors.ts';
import { faultOf } from '../filesystems/fault.ts';
import type { Filesystem } from '../filesystems/filesystem.ts';
import { openHostFilesystem } from '../filesystems/host/host-filesystem.ts';
import type { GenerationFacts } from '../judge/path-case.ts';
import { isAfterWindow } from '../judge/path-case.ts';
import { bytesOfText } from '../path.ts';
import { generationId, openGeneration } from '../references/baseline.ts';
import { findDpkgDatabase } from '../references/dpkg/database.ts';
import { openDpkgReference } from '../references/dpkg/dpkg-reference.ts';
import type { Reference } from '../references/reference.ts';
import { rfc3339 } from '../report/time.ts';
import type { Generation } from '../store/generation.ts';
import type { Store } from '../store/store.ts';
import { PathResolver } from '../tree/resolve-path.ts';
import { type SelectionGlobs, selectionOf } from '../tree/selection.ts';
import type { ScanOptions } from './options.ts';
import { unseenOf } from './unseen-paths.ts';

export interface GatheredReferences {
  /** In the order in which the report lists them. */
  readonly references: readonly Reference[];
  /** Baseline generations, ascending by time. */
  readonly generations: readonly GenerationFacts[];
}

/** A store that holds generations for this scan, and what they are called in it. */
export interface GenerationSource {
  readonly store: Store;
  readonly generation: Generation;
  /** The reference's id. */
  readonly id: string;
}

/** The generations of a named baseline. UsageError when there are none. */
export function sourcesOfBaseline(store: Store, name: string): GenerationSource[] {
  return generationsOf(store, name).map(generation => ({ store, generation, id: idOf(generation) }));
}

/**
 * One volume's references. UsageError when a reference that was asked for by name cannot be had.
 * @param sources ascending by time.
 */
export function gatherReferences(
  volume: { readonly index: number; readonly filesystem: Filesystem },
  sources: readonly GenerationSource[],
  options: ScanOptions,
): GatheredReferences {
  const packages = packageReferences(volume.filesystem, options);
  const opened = sources.map(source => openOne(source, volume.index, options));
  return { references: [...packages, ...opened], generations: sources.map(factsOf) };
}

/** What was named stands in for the target's own database of that kind, on the volume that is a system's root. */
function packageReferences(target: Filesystem, options: ScanOptions): Reference[] {
  const given = options.references.filter(reference => reference.kind === 'dpkg');
  const isRoot = options.target.kind === 'directory' || new PathResolver(target).directory('/etc') !== null;
  if (given.length > 0) return isRoot ? given.map(reference => givenDpkg(target, reference.path)) : [];
  const own = openDpkgReference(target);
  return own === null ? [] : [own];
}

function givenDpkg(target: Filesystem, path: string): Reference {
  const database = findDpkgDatabase(openGiven(path));
  const reference = database === null ? null : openDpkgReference(target, database);
  if (reference !== null) return reference;
  throw new UsageError(`--reference dpkg:${path}: no dpkg database there (no "status" file)`);
}

function openGiven(path: string): Filesystem {
  try {
    return openHostFilesystem(bytesOfText(path));
  } catch (error) {
    throw new UsageError(`--reference dpkg:${path}: ${faultOf(error).message}`, { cause: error });
  }
}

function generationsOf(store: Store, name: string): Generation[] {
  const generations = store.generations(name);
  if (generations.length > 0) return generations;
  throw new UsageError(`store ${store.path} holds no baseline ${name}; "lostwrite baseline list" names those it has`);
}

function openOne({ store, generation, id }: GenerationSource, volume: number, options: ScanOptions): Reference {
  const vouches = isAfterWindow(generation.atNs, options.window) ? 'content' : 'not-garbage';
  return openGeneration(store, generation, { id, vouches, volume });
}

function idOf(generation: Generation): string {
  return `baseline:${generationId(generation.baseline, rfc3339(generation.atNs) ?? String(generation.atNs))}`;
}

function factsOf({ generation, id }: GenerationSource): GenerationFacts {
  const globs = generation.attributes as Partial<SelectionGlobs>;
  const unseen = unseenOf(generation.attributes);
  const selection = selectionOf({ include: globs.include ?? [], exclude: globs.exclude ?? [] });
  return {
    id,
    atNs: generation.atNs,
    // Of an image that was copied while in use, writes that were stamped and not on the disk yet are missing.
    capturedNs: generation.attributes.hot === true ? generation.atNs : generation.capturedNs,
    covers: path => !unseen(path) && (selection.includes(path, false) || selection.includes(path, true)),
  };
}
