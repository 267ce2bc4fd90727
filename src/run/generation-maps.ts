// The block maps that a scan compares a volume with: those that its generations kept, and those of images given to it.

import { unitBytesOf } from '../digest/unit-hashes.ts';
import type { OpenedTarget } from '../tree/open-target.ts';
import type { BeforeImages } from './before.ts';
import type { GenerationMap } from './map-volume.ts';
import type { GenerationSource } from './references.ts';

/** Of so many generations, the newest: each map that is loaded takes two bytes of memory for each KiB of data. */
const MOST_MAPS = 8;
const UUIDS = 'uuids';

/** What a generation keeps of a target's volumes, so that its maps are not compared with another file system. */
export function attributesOfVolumes({ volumes }: OpenedTarget): Record<string, unknown> {
  return { [UUIDS]: Object.fromEntries(volumes.map(({ facts }) => [facts.index, facts.uuid])) };
}

/**
 * Ascending by time, like `sources`. Maps of another file system, or one with other blocks, are left out.
 * UsageError for damage of a store.
 */
export function mapsOf(
  sources: readonly GenerationSource[],
  before: BeforeImages | null,
  target: OpenedTarget,
  volume: number,
): GenerationMap[] {
  const { filesystem, facts } = target.volumes[volume] ?? {};
  if (filesystem?.blocks === undefined) return [];
  const unitBytes = unitBytesOf(filesystem.blocks.blockBytes);
  const maps = sources.flatMap(
    source => keptMap(source, volume, unitBytes, facts?.uuid ?? null) ?? givenMap(source, before, volume),
  );
  return maps.slice(-MOST_MAPS);
}

function givenMap({ id }: GenerationSource, before: BeforeImages | null, volume: number): GenerationMap[] {
  return (before?.maps.get(volume) ?? []).filter(map => map.id === id);
}

/** Null when there is none that fits. */
function keptMap(
  source: GenerationSource,
  volume: number,
  unitBytes: number,
  uuid: string | null,
): GenerationMap | null {
  const { store, generation, id } = source;
  if (!isSameFilesystem(generation.attributes[UUIDS], volume, uuid)) return null;
  const kept = store.mappedVolumes(generation.id).find(each => each.volume === volume);
  if (kept === undefined || kept.unitBytes !== unitBytes) return null;
  const load = () => {
    const map = store.blockMap(generation.id, volume);
    if (map === null) throw new Error(`the block map of ${id} was dropped meanwhile`);
    return map;
  };
  return { id, load };
}

/** What was not kept, or has no UUID, may be. */
function isSameFilesystem(uuids: unknown, volume: number, uuid: string | null): boolean {
  const then = typeof uuids === 'object' && uuids !== null ? Reflect.get(uuids, String(volume)) : null;
  return typeof then !== 'string' || uuid === null || then === uuid;
}
