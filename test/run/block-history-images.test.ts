// Block history on real ext4: lives over several days, kept as maps, one of them with writes lost at its end. The truth is
// the images' bytes, compared. Needs root (loop mounts) and e2fsprogs.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Incident, incidentObstacle, makeIncident } from '../../fixtures/incident/incident.ts';
import type { BlockMap } from '../../src/digest/block-map.ts';
import { blocksGoneBack, type GoneBack } from '../../src/run/block-history.ts';
import type { GenerationMap } from '../../src/run/map-volume.ts';
import { createBaseline, identityOf } from '../../src/run.ts';

const obstacle = incidentObstacle();
if (obstacle !== null) process.stdout.write(`skipped: block history of images: ${obstacle}\n`);

const PATIENCE_MS = 180_000;
const BLOCK = 4096;

async function mapOf(image: string): Promise<BlockMap> {
  const maps: BlockMap[] = [];
  const target = { kind: 'image', name: image, path: image, snapshot: null, identity: identityOf(image) } as const;
  const hooks = { onProgress: () => undefined, onNotice: () => undefined, signal: new AbortController().signal };
  const common = {
    include: [],
    exclude: [],
    crossMounts: false,
    jobs: 2,
    atNs: null,
    name: 'x',
    store: { path: null },
  };
  await createBaseline({ ...common, target, onMap: (_, map) => void maps.push(map) }, hooks);
  const [map] = maps;
  if (map === undefined) throw new Error(`no map of ${image}`);
  return map;
}

async function historyOf({ t0, tm, t1, disk }: Incident['images']): Promise<GoneBack[]> {
  const maps: GenerationMap[] = [];
  for (const [id, image] of Object.entries({ t0, tm, t1 })) {
    const map = await mapOf(image);
    maps.push({ id, load: () => map });
  }
  return blocksGoneBack(await mapOf(disk), maps);
}

/** Digests of an image's blocks. */
function digestsOf(image: string): string[] {
  const bytes = readFileSync(image);
  return Array.from({ length: bytes.length / BLOCK }, (_, block) =>
    createHash('md5')
      .update(bytes.subarray(block * BLOCK, (block + 1) * BLOCK))
      .digest('hex'),
  );
}

const ZEROS = createHash('md5').update(Buffer.alloc(BLOCK)).digest('hex');

function journalOf(image: string): Set<number> {
  const list = execFileSync('debugfs', ['-R', 'blocks <8>', image], {
    encoding: 'latin1',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return new Set(list.trim().split(/\s+/).map(Number));
}

/** Blocks of files and structures that went back to bytes that are no zeros and lie nowhere else: `block day`. */
function truthOf({ images, truth }: Incident): string[] {
  const [t0, tm, t1, disk] = [images.t0, images.tm, images.t1, images.disk].map(digestsOf);
  const journal = journalOf(images.t1);
  const places = new Map<string, Set<number>>();
  for (const digests of [t0, tm, t1, disk]) {
    for (const [block, digest] of (digests ?? []).entries()) {
      if (!journal.has(block)) places.set(digest, (places.get(digest) ?? new Set()).add(block));
    }
  }
  return truth.lostBlocks
    .filter(({ role }) => role !== 'free')
    .filter(({ block }) => disk?.[block] !== ZEROS && places.get(disk?.[block] ?? '')?.size === 1)
    .map(({ block }) => `${block} ${disk?.[block] === tm?.[block] ? 'tm' : 't0'}`);
}

function blocksOf(found: readonly GoneBack[]): string[] {
  return found.flatMap(({ physical, length, backTo }) =>
    Array.from({ length }, (_, index) => `${physical + index} ${backTo}`),
  );
}

describe.skipIf(obstacle !== null)('block history of images', { timeout: PATIENCE_MS }, () => {
  let scratch = '';

  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), 'lostwrite-history-'));
  });

  afterAll(() => {
    rmSync(scratch, { recursive: true });
  });

  test('finds the blocks of files and structures that went back, each with the day it is of, and no others', async () => {
    const incident = await makeIncident({ seed: 21, mode: 'mixed', out: join(scratch, 'struck') });
    const found = await historyOf(incident.images);
    const known = new Set(blocksOf(found));
    const truth = truthOf(incident);
    const missed = truth.filter(each => !known.has(each));
    expect(truth.length).toBeGreaterThan(100);
    expect(missed.length / truth.length).toBeLessThanOrEqual(0.01);
    const lost = new Set(incident.truth.lostBlocks.map(({ block }) => block));
    expect([...known].filter(each => !lost.has(Number.parseInt(each, 10)))).toEqual([]);
    expect(new Set(found.filter(({ role }) => role === 'inode-table').map(({ confidence }) => confidence))).toEqual(
      new Set(['proven']),
    );
    rmSync(incident.directory, { recursive: true });
  });

  test('tells nothing likely of a disk that lived on for two days after its backups', async () => {
    const incident = await makeIncident({ seed: 22, mode: 'none', laterLife: true, out: join(scratch, 'sound') });
    const found = await historyOf(incident.images);
    expect(found.filter(({ confidence }) => confidence !== 'possible')).toEqual([]);
    rmSync(incident.directory, { recursive: true });
  });
});
