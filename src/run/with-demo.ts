// The incident of `lostwrite demo`: a small disk (or, without root, a directory) with a baseline of before, a life after it,
// and some of the writes of that life lost.

import { statSync } from 'node:fs';
import { join } from 'node:path';
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
  if (obstacle === null) return await onDisk(demo, use);
  hooks.onNotice(`no disk image can be made here (${obstacle}): a directory is damaged instead`);
  return await inDirectory(demo, use);
}

interface Demo {
  readonly out: string;
  readonly store: string;
  readonly hooks: RunHooks;
}

/** The nightly baselines are made of the disk's images as it was on both days, and the scan reads the damaged one: no mount. */
async function onDisk<Result>(demo: Demo, use: (scene: DemoScene) => Promise<Result>): Promise<Result> {
  const { images, truth } = await makeIncident({ seed: SEED, mode: 'mixed', out: demo.out });
  await remember(images.t0, nsOf(truth.t0At), demo);
  await remember(images.t1, nsOf(truth.t1At), demo);
  return await use(sceneOf(images.disk, truth, demo));
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
  const kind = statSync(path).isDirectory() ? 'directory' : 'image';
  return { kind, name: 'demo', path, snapshot: null, identity: identityOf(path) };
}

/** The simulator's clock ticks in milliseconds. */
function nsOf(text: string): bigint {
  return BigInt(Date.parse(text)) * MS_NS;
}
