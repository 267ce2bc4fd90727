// The incident of `lostwrite demo`: a small disk (or, without root, a directory) with a baseline of before, a life after it,
// and some of the writes of that life lost.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { whileMounted } from '../../fixtures/incident/ext4-image.ts';
import { incidentObstacle, makeIncident } from '../../fixtures/incident/incident.ts';
import { makePlainIncident } from '../../fixtures/incident/plain-incident.ts';
import type { Truth } from '../../fixtures/incident/truth.ts';
import type { TargetSpec, Window } from '../model.ts';
import { identityOf } from '../tree/open-target.ts';
import { createBaseline } from './create-baseline.ts';
import type { DemoScene, RunHooks } from './options.ts';

const BASELINE = 'before';
const SEED = 7;
const MS_NS = 1_000_000n;

/** Makes the incident within `directory`, and calls `use` while it can be scanned. */
export async function withDemo<Result>(
  directory: string,
  hooks: RunHooks,
  use: (scene: DemoScene) => Promise<Result>,
): Promise<Result> {
  const store = { path: join(directory, 'store.db') };
  const out = join(directory, 'incident');
  const onState = async (name: 't0' | 't1', tree: string): Promise<void> => {
    if (name === 't0') await remember(tree, store.path, hooks);
  };
  const sceneOf = (tree: string, truth: Truth): DemoScene => {
    const damaged = new Set(truth.paths.map(({ pathBase64 }) => Buffer.from(pathBase64, 'base64').toString('latin1')));
    return { target: targetOf(tree), window: windowOf(truth), store, baseline: BASELINE, damaged };
  };
  const obstacle = incidentObstacle();
  if (obstacle !== null) {
    hooks.onNotice(`no disk image can be made here (${obstacle}): a directory is damaged instead`);
    const { tree, truth } = await makePlainIncident({ seed: SEED, out, onState });
    return await use(sceneOf(tree, truth));
  }
  const { images, truth } = await makeIncident({ seed: SEED, mode: 'mixed', out, onState });
  const mount = join(directory, 'disk');
  mkdirSync(mount);
  return await whileMounted(images.disk, mount, 'ro,noload', () => use(sceneOf(mount, truth)));
}

async function remember(tree: string, storePath: string, hooks: RunHooks): Promise<void> {
  const selection = { include: [], exclude: [], crossMounts: false };
  const target = targetOf(tree);
  await createBaseline(
    { target, store: { path: storePath }, name: BASELINE, atNs: null, jobs: 1, ...selection },
    hooks,
  );
}

function targetOf(path: string): TargetSpec {
  return { kind: 'directory', name: 'demo', path, snapshot: null, identity: identityOf(path) };
}

function windowOf({ window }: Truth): Window {
  return { fromNs: nsOf(window.from), toNs: nsOf(window.to) };
}

/** The simulator's clock ticks in milliseconds. */
function nsOf(text: string): bigint {
  return BigInt(Date.parse(text)) * MS_NS;
}
