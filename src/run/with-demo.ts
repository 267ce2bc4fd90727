// The incident of `lostwrite demo`: a small disk (or, without root, a directory) with a baseline of before, a life after it,
// and some of the writes of that life lost.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { whileMounted } from '../../fixtures/incident/ext4-image.ts';
import { incidentObstacle, makeIncident } from '../../fixtures/incident/incident.ts';
import { makePlainIncident } from '../../fixtures/incident/plain-incident.ts';
import type { Truth } from '../../fixtures/incident/truth.ts';
import type { Nanoseconds, TargetSpec } from '../model.ts';
import { identityOf } from '../tree/open-target.ts';
import { createBaseline } from './create-baseline.ts';
import { nowNs } from './now.ts';
import type { DemoScene, RunHooks } from './options.ts';

const BASELINE = 'nightly';
const SEED = 7;
const MS_NS = 1_000_000n;

/** Makes the incident within `directory`, and calls `use` while it can be scanned. */
export async function withDemo<Result>(
  directory: string,
  hooks: RunHooks,
  use: (scene: DemoScene) => Promise<Result>,
): Promise<Result> {
  const demo = { out: join(directory, 'incident'), store: join(directory, 'store.db'), hooks };
  const obstacle = incidentObstacle();
  if (obstacle === null) return await onDisk(directory, demo, use);
  hooks.onNotice(`no disk image can be made here (${obstacle}): a directory is damaged instead`);
  return await inDirectory(demo, use);
}

interface Demo {
  readonly out: string;
  readonly store: string;
  readonly hooks: RunHooks;
}

/** The nightly baselines of both days are made from the disk as it was, mounted read-only, as a backup host would. */
async function onDisk<Result>(
  directory: string,
  demo: Demo,
  use: (scene: DemoScene) => Promise<Result>,
): Promise<Result> {
  const { images, truth } = await makeIncident({ seed: SEED, mode: 'mixed', out: demo.out });
  const mount = join(directory, 'disk');
  mkdirSync(mount);
  const mounted = <T>(image: string, then: () => Promise<T>) => whileMounted(image, mount, 'ro,noload', then);
  await mounted(images.t0, () => remember(mount, nsOf(truth.t0At), demo));
  await mounted(images.t1, () => remember(mount, nsOf(truth.t1At), demo));
  return await mounted(images.disk, () => use(sceneOf(mount, truth, demo)));
}

/** Here they are made while the life goes on; the losses come after the second one. */
async function inDirectory<Result>(demo: Demo, use: (scene: DemoScene) => Promise<Result>): Promise<Result> {
  const onState = (_: 't0' | 't1', tree: string) => remember(tree, nowNs(), demo);
  const { tree, truth } = await makePlainIncident({ seed: SEED, out: demo.out, onState });
  return await use(sceneOf(tree, truth, demo));
}

function sceneOf(tree: string, truth: Truth, demo: Demo): DemoScene {
  const damaged = new Set(truth.paths.map(({ pathBase64 }) => Buffer.from(pathBase64, 'base64').toString('latin1')));
  const window = { fromNs: nsOf(truth.t0At), toNs: nsOf(truth.t1At) };
  return { target: targetOf(tree), window, store: { path: demo.store }, baseline: BASELINE, damaged };
}

async function remember(tree: string, atNs: Nanoseconds, { store, hooks }: Demo): Promise<void> {
  const selection = { include: [], exclude: [], crossMounts: false };
  const target = targetOf(tree);
  await createBaseline({ target, store: { path: store }, name: BASELINE, atNs, jobs: 1, ...selection }, hooks);
}

function targetOf(path: string): TargetSpec {
  return { kind: 'directory', name: 'demo', path, snapshot: null, identity: identityOf(path) };
}

/** The simulator's clock ticks in milliseconds. */
function nsOf(text: string): bigint {
  return BigInt(Date.parse(text)) * MS_NS;
}
