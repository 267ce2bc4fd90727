// Where the store and the report lie: not on what is scanned, unless --force. Writing there could destroy what is sought.

import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { errorCode, UsageError } from '../errors.ts';
import { isBelow } from '../path.ts';
import type { StoreOption } from '../run/options.ts';
import type { Settings } from './settings.ts';
import type { LocatedTarget } from './target.ts';
import { failureWords } from './trouble.ts';
import type { World } from './world.ts';

/** The store that is meant, and whether a person named it. */
export interface StorePlace {
  readonly path: string;
  readonly named: boolean;
}

/** --store, else $LOSTWRITE_STORE, else $XDG_STATE_HOME/lostwrite/store.db, else ~/.local/state/lostwrite/store.db. */
export function storePlace(settings: Settings, world: World): StorePlace {
  const named = settings.text('store');
  if (named !== null) return { path: resolve(world.cwd, named), named: true };
  const own = world.env.LOSTWRITE_STORE;
  if (own) return { path: resolve(world.cwd, own), named: false };
  const state = world.env.XDG_STATE_HOME || join(world.homeDirectory, '.local/state');
  return { path: join(state, 'lostwrite/store.db'), named: false };
}

export interface PlaceRequest {
  readonly target: LocatedTarget;
  readonly crossMounts: boolean;
  readonly force: boolean;
  readonly store: StorePlace;
  /** It keeps what must outlive the run: a baseline. */
  readonly storeNeeded: boolean;
  /** File of the report, or null. */
  readonly report: string | null;
  readonly say: (line: string) => void;
}

/**
 * Refuses, by UsageError, a store or report on the scanned file system. A store that nobody named and nothing needs is kept
 * in memory instead, and that is said.
 */
export function settlePlaces(request: PlaceRequest): StoreOption {
  const { target, store, report, force } = request;
  for (const file of report === null ? [store.path] : [store.path, report]) {
    const images = [target.path, ...(target.more ?? []).map(part => part.path)];
    if (target.kind === 'image' && images.includes(nearestPlace(file).path))
      throw new UsageError(`${file} is the target: nothing is ever written to it`);
  }
  if (force) return { path: store.path };
  if (report !== null && liesOnTarget(request, report)) throw refusal('report', report, '--json');
  if (!liesOnTarget(request, store.path)) return { path: store.path };
  if (store.named || request.storeNeeded) throw refusal('store', store.path, '--store');
  request.say(
    'The store would lie on the scanned file system: it is kept in memory, and a stopped scan cannot resume.',
  );
  return { path: null };
}

/** Refuses, by UsageError, a folder of reports on the scanned file system. */
export function refuseReportsOn(target: LocatedTarget, crossMounts: boolean, directory: string): void {
  if (liesOnTarget({ target, crossMounts }, directory)) throw refusal('folder', directory, '--out');
}

function refusal(what: string, path: string, option: string): UsageError {
  return new UsageError(
    `the ${what} ${path} would lie on the scanned file system: name another place with ${option}, or insist with --force`,
  );
}

function liesOnTarget({ target, crossMounts }: Pick<PlaceRequest, 'target' | 'crossMounts'>, path: string): boolean {
  const place = nearestPlace(path);
  if (scannedDevices(target).has(place.device)) return true;
  return crossMounts && target.kind === 'directory' && isBelow(place.path, target.path);
}

/** The path itself, links resolved, or the nearest directory above it that exists. */
function nearestPlace(path: string): { path: string; device: bigint } {
  for (let at = resolve(path); ; at = dirname(at)) {
    try {
      return { path: realpathSync(at), device: statSync(at, { bigint: true }).dev };
    } catch (error) {
      const code = errorCode(error);
      if ((code === 'ENOENT' || code === 'ENOTDIR') && at !== '/') continue;
      throw new UsageError(`${path}: ${failureWords(error)}`);
    }
  }
}

/** Device numbers of the file systems that a scan of the target reads. */
function scannedDevices(target: LocatedTarget): Set<bigint> {
  if (target.kind === 'directory') return new Set([statSync(target.path, { bigint: true }).dev]);
  const images = [target, ...(target.more ?? [])].map(({ path }) => statSync(path, { bigint: true }));
  return new Set(images.flatMap(stats => (stats.isBlockDevice() ? [...stackedDevices(stats.rdev)] : [])));
}

/** Deeper than any stack of partitions, RAID, LVM and encryption. */
const STACK_DEPTH = 8;

/** A block device, its partitions, and whatever is stacked upon them: any of these may be mounted. */
function stackedDevices(device: bigint): Set<bigint> {
  const found = new Set([device]);
  let level = [device];
  for (let depth = 0; depth < STACK_DEPTH && level.length > 0; depth += 1) {
    level = level.flatMap(upperDevices).filter(upper => !found.has(upper));
    for (const upper of level) found.add(upper);
  }
  return found;
}

function upperDevices(device: bigint): bigint[] {
  const directory = `/sys/dev/block/${major(device)}:${minor(device)}`;
  const partitions = names(directory).filter(name => hasDevice(join(directory, name)));
  const holders = names(join(directory, 'holders')).map(name => join('holders', name));
  return [...partitions, ...holders].map(name => deviceNumber(join(directory, name)));
}

function hasDevice(directory: string): boolean {
  return names(directory).includes('partition');
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(errorCode(error) ?? '')) return [];
    throw error;
  }
}

function deviceNumber(directory: string): bigint {
  const [upper = '0', lower = '0'] = readFileSync(join(directory, 'dev'), 'utf8').trim().split(':');
  return makeDevice(BigInt(upper), BigInt(lower));
}

/** Linux packs 12 bits of major and 20 of minor number: gnu_dev_major(3) and its kin. */
function major(device: bigint): bigint {
  return ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
}

function minor(device: bigint): bigint {
  return (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
}

function makeDevice(upper: bigint, lower: bigint): bigint {
  return (lower & 0xffn) | ((upper & 0xfffn) << 8n) | ((lower & ~0xffn) << 12n) | ((upper & ~0xfffn) << 32n);
}
