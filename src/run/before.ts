// Images of the time before that a scan was given (`--before`): captured for it alone, with maps of their blocks.

import { rmSync } from 'node:fs';
import type { BlockMap } from '../digest/block-map.ts';
import type { TargetSpec } from '../model.ts';
import { openStore, type Store } from '../store/store.ts';
import { openTarget } from '../tree/open-target.ts';
import { createBaseline } from './create-baseline.ts';
import type { GenerationMap } from './map-volume.ts';
import type { RunHooks, ScanOptions } from './options.ts';
import type { GenerationSource } from './references.ts';

export interface BeforeImages {
  readonly sources: readonly GenerationSource[];
  /** By volume, in the order in which the images were given. */
  readonly maps: ReadonlyMap<number, readonly GenerationMap[]>;
  /** Which file systems they hold. */
  readonly disks: readonly { readonly name: string; readonly volumes: readonly VolumeIdentity[] }[];
  close(): void;
}

interface VolumeIdentity {
  readonly index: number;
  readonly uuid: string | null;
}

/** Null when there are none, or the run was stopped. UsageError and the like as createBaseline throws them. */
export async function captureBefore(options: ScanOptions, hooks: RunHooks): Promise<BeforeImages | null> {
  const targets = options.before ?? [];
  if (targets.length === 0) return null;
  const scratch = openScratch(options.store.path);
  try {
    const capture = new Capture(scratch.store, options, hooks);
    for (const target of targets) if (!(await capture.add(target))) return closed(scratch);
    const { sources, maps } = capture;
    const disks = targets.map(target => ({ name: target.name, volumes: identities(target) }));
    return { sources, maps, disks, close: scratch.close };
  } catch (error) {
    scratch.close();
    throw error;
  }
}

class Capture {
  readonly sources: GenerationSource[] = [];
  readonly maps = new Map<number, GenerationMap[]>();
  readonly #store: Store;
  readonly #options: ScanOptions;
  readonly #hooks: RunHooks;

  constructor(store: Store, options: ScanOptions, hooks: RunHooks) {
    this.#store = store;
    this.#options = options;
    this.#hooks = hooks;
  }

  /** False when it was stopped. */
  async add(target: TargetSpec): Promise<boolean> {
    const { store, include, exclude, crossMounts, jobs } = this.#options;
    const name = `before ${this.sources.length}`;
    const id = `before:${target.name}`;
    const onMap = (volume: number, map: BlockMap): void => {
      this.maps.set(volume, [...(this.maps.get(volume) ?? []), { id, load: () => map }]);
    };
    const options = { target, store, name, atNs: null, include, exclude, crossMounts, jobs, onMap };
    this.#hooks.onNotice(`reading ${target.name}, the state before`);
    const { skipped } = await createBaseline(options, this.#hooks, this.#store);
    if (skipped > 0)
      this.#hooks.onNotice(`${target.name}: ${skipped} path(s) could not be read; nothing is compared with them`);
    const generation = this.#store.generations(name)[0];
    if (generation !== undefined) this.sources.push({ store: this.#store, generation, id });
    return generation !== undefined;
  }
}

function identities(target: TargetSpec): VolumeIdentity[] {
  const opened = openTarget(target);
  try {
    return opened.volumes.map(({ facts }) => ({ index: facts.index, uuid: facts.uuid }));
  } finally {
    opened.close();
  }
}

interface Scratch {
  readonly store: Store;
  readonly close: () => void;
}

/** Beside the scan's own store, which is not on the target; gone with the scan. */
function openScratch(storePath: string | null): Scratch {
  if (storePath === null) {
    const store = openStore(':memory:', 'write');
    return { store, close: () => store.close() };
  }
  const path = `${storePath}.before`;
  const remove = (): void => {
    for (const suffix of ['', '-wal', '-shm', '-lock']) rmSync(path + suffix, { force: true });
  };
  remove();
  const store = openStore(path, 'write');
  return {
    store,
    close: () => {
      store.close();
      remove();
    },
  };
}

function closed({ close }: Scratch): null {
  close();
  return null;
}
