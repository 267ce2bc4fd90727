// The small questions to a store: which baselines there are, which generations, drop them.

import { existsSync } from 'node:fs';
import { UsageError } from '../errors.ts';
import type { BytePath, Nanoseconds } from '../model.ts';
import { rfc3339 } from '../report/time.ts';
import type { Generation } from '../store/generation.ts';
import { openStore, type Store } from '../store/store.ts';
import type { BaselineGeneration, BaselineSeries, ScanOptions, StoreOption } from './options.ts';
import type { GenerationSource } from './references.ts';

/** By name. UsageError when the store cannot be opened. */
export async function listBaselines(option: StoreOption): Promise<readonly BaselineSeries[]> {
  return withStore(option, 'read', store => store.baselines());
}

/** Oldest state first. UsageError when there is no such baseline. */
export async function showBaseline(option: StoreOption, name: string): Promise<readonly BaselineGeneration[]> {
  return withStore(option, 'read', store =>
    generationsOf(store, name).map(generation => ({ ...generation, mapBytes: mapBytesOf(store, generation) })),
  );
}

/** Drops these generations, or the whole series. UsageError when one is not there: then nothing is dropped. */
export async function dropBaseline(
  option: StoreOption,
  name: string,
  atNs: readonly Nanoseconds[] | null,
): Promise<void> {
  await withStore(option, 'write', store => {
    if (atNs === null) return store.dropBaseline(name);
    for (const generation of atNs.map(time => generationAt(store, name, time))) store.dropGeneration(generation.id);
  });
}

function generationsOf(store: Store, name: string): Generation[] {
  const generations = store.generations(name);
  if (generations.length === 0) throw new UsageError(`store ${store.path} holds no baseline ${name}`);
  return generations;
}

function mapBytesOf(store: Store, { id }: Generation): number | null {
  const volumes = store.mappedVolumes(id);
  return volumes.length === 0 ? null : volumes.reduce((sum, { addedBytes }) => sum + addedBytes, 0);
}

function generationAt(store: Store, name: string, atNs: Nanoseconds): Generation {
  const generation = generationsOf(store, name).find(each => each.atNs === atNs);
  if (generation !== undefined) return generation;
  throw new UsageError(`baseline ${name} has no generation of ${rfc3339(atNs) ?? atNs}`);
}

function withStore<T>(option: StoreOption, mode: 'read' | 'write', use: (store: Store) => T): T {
  const store = openStore(option.path ?? ':memory:', mode);
  try {
    return use(store);
  } finally {
    store.close();
  }
}

/** Paths of a volume that have blocks of these hashes (XXH64 of 4 KiB) in any of the generations, a few for each. */
export function ownersInGenerations(
  sources: readonly GenerationSource[],
  volume: number,
  hashes: ReadonlySet<bigint>,
): Map<bigint, BytePath[]> {
  const owners = new Map<bigint, BytePath[]>();
  for (const { store, generation } of sources) {
    for (const [hash, found] of store.ownersOfBlocks(generation.id, hashes)) {
      owners.set(hash, [
        ...(owners.get(hash) ?? []),
        ...found.filter(owner => owner.volume === volume).map(owner => owner.path),
      ]);
    }
  }
  return owners;
}

/** UsageError for a store that is not there: a mistyped --store must not come into being. */
export function assertStoreOfBaseline({ baseline, baselines, store: { path } }: ScanOptions): void {
  if (baseline === null || baselines?.path != null || path === null || existsSync(path)) return;
  throw new UsageError(`store ${path} does not exist, and so holds no baseline ${baseline}`);
}
