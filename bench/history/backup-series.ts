// A disk with four backups of consecutive days and a day of life after the last; then blocks of it put back to what an older
// backup holds and the newest one had already replaced. Needs root (loop mounts) and e2fsprogs.

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyImage, whileMounted } from '../../fixtures/incident/disk-image.ts';
import { EXT4, makeImage } from '../../fixtures/incident/ext4-image.ts';
import { liveHistory, settle } from '../../fixtures/incident/history.ts';
import { Host } from '../../fixtures/incident/life.ts';
import { chooseLosses, type LostBlock, type Mode } from '../../fixtures/incident/losses.ts';
import { Random } from '../../fixtures/incident/random.ts';
import { clockNow } from '../../fixtures/incident/truth.ts';

/** Oldest first; the last is the newest. */
export const BACKUPS = ['day0', 'day1', 'day2', 'day3'] as const;
export const BLOCK_BYTES = 4096;
const SIZE_MIB = 160;

export interface Series {
  readonly seed: number;
  readonly directory: string;
  /** From the newest backup to the end of the life. */
  readonly window: { readonly from: string; readonly to: string };
}

export function imageOf({ directory }: Pick<Series, 'directory'>, name: string): string {
  return join(directory, `${name}.img`);
}

/** Made unless it is there already. Throws ProgramError when a tool fails. */
export async function backupSeries(root: string, seed: number): Promise<Series> {
  const directory = join(root, String(seed));
  const kept = join(directory, 'series.json');
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, 'utf8')) as Series;
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const work = mkdtempSync(join(tmpdir(), 'lostwrite-history-'));
  try {
    const series = { seed, directory, window: await live(directory, seed, work) };
    writeFileSync(kept, JSON.stringify(series));
    return series;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function live(directory: string, seed: number, work: string): Promise<Series['window']> {
  const random = new Random(seed);
  const [image, mountpoint] = [imageOf({ directory }, 'end'), join(work, 'mnt')];
  mkdirSync(mountpoint);
  const host = new Host(mountpoint, join(work, 'host'));
  const whileLive = (body: () => void): Promise<void> => whileMounted(EXT4, image, mountpoint, 'live', body);
  makeImage(image, { seed, sizeMib: SIZE_MIB, blockSizeBytes: BLOCK_BYTES, journalMib: 4 });
  await whileLive(() => {
    liveHistory(host.scene, random.fork('history'), (SIZE_MIB / 2) * 1024 * 1024);
    host.setUp(random.fork('set-up'));
  });
  const day = (name: string): Promise<void> =>
    whileLive(() => host.live(random.fork(name), { forgiving: false, settle: () => settle(host.scene) }));
  for (const [index, name] of BACKUPS.entries()) {
    if (index > 0) await day(name);
    copyImage(image, imageOf({ directory }, name));
  }
  const from = clockNow();
  await day('end');
  return { from, to: clockNow() };
}

/** A block that went back, and the backup whose state it has. */
export interface RevertedBlock extends Pick<LostBlock, 'block' | 'role'> {
  readonly to: string;
}

export interface Struck {
  readonly image: string;
  readonly reverted: readonly RevertedBlock[];
}

/** Puts blocks of the end back to two of the older backups. With `none` it is the end as it is. */
export function strike(series: Series, mode: Mode): Struck {
  const image = imageOf(series, `disk-${mode}`);
  copyFileSync(imageOf(series, 'end'), image);
  if (mode === 'none') return { image, reverted: [] };
  const random = new Random(series.seed).fork(`strike ${mode}`);
  const [older, newer] = random.sample(BACKUPS.slice(0, -1), 2);
  const bytes = (name = ''): Buffer => readFileSync(imageOf(series, name));
  const states = { t0: bytes(older), tm: bytes(newer), t1: bytes(BACKUPS.at(-1)) };
  const end = bytes('end');
  const roles = EXT4.readBlockRoles(end);
  const differs = ({ block, from }: LostBlock): boolean => !blockOf(states[from], block).equals(blockOf(end, block));
  const chosen = chooseLosses(random, mode, states, roles, BLOCK_BYTES).flat().filter(differs);
  for (const { block, from } of chosen) blockOf(states[from], block).copy(end, block * BLOCK_BYTES);
  writeFileSync(image, end);
  const reverted = chosen.map(({ block, role, from }) => ({ block, role, to: (from === 't0' ? older : newer) ?? '' }));
  return { image, reverted: reverted.sort((left, right) => left.block - right.block) };
}

function blockOf(image: Buffer, block: number): Buffer {
  return image.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES);
}
