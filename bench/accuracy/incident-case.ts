// One incident of the accuracy bench: which kind a seed stands for, made once, its images mounted read-only while it is scanned.

import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { whileMounted as whileImageMounted } from '../../fixtures/incident/disk-image.ts';
import { DISK_KIND_NAMES, DISK_KINDS, type DiskKindName } from '../../fixtures/incident/disk-kinds.ts';
import { makeIncident } from '../../fixtures/incident/incident.ts';
import type { Mode } from '../../fixtures/incident/losses.ts';
import { run } from '../../fixtures/incident/processes.ts';
import type { Truth } from '../../fixtures/incident/truth.ts';
import { UsageError } from '../../src/errors.ts';
import type { BytePath, EntryType } from '../../src/model.ts';

/** What is scored; `none`, a healthy disk, is run by itself. */
export const DAMAGING_MODES: readonly Mode[] = ['data', 'directories', 'inodes', 'mixed', 'silent'];

export interface IncidentCase {
  readonly filesystem: DiskKindName;
  readonly seed: number;
  readonly mode: Mode;
  readonly repair: boolean;
  readonly laterLife: boolean;
}

/** Every mode for every seed; every second seed is repaired first (a silent one needs no repair). */
export function casesOf(
  filesystem: DiskKindName,
  seeds: readonly number[],
  modes: readonly Mode[],
  laterLife: boolean,
): IncidentCase[] {
  const isRepaired = (seed: number, mode: Mode) => seed % 2 === 0 && mode !== 'silent' && mode !== 'none';
  return seeds.flatMap(seed =>
    modes.map(mode => ({ filesystem, seed, mode, repair: isRepaired(seed, mode), laterLife })),
  );
}

export function nameOf({ filesystem, seed, mode, repair, laterLife }: IncidentCase): string {
  const kind = filesystem === 'ext4' ? [] : [filesystem];
  return [...kind, seed, mode, ...(repair ? ['repaired'] : []), ...(laterLife ? ['later'] : [])].join('-');
}

/** @throws UsageError for a name of no file system that incidents are made on. */
export function filesystemOption(text: string): DiskKindName {
  const name = DISK_KIND_NAMES.find(known => known === text);
  if (name === undefined) throw new UsageError(`--filesystem: ${DISK_KIND_NAMES.join(' or ')}, not ${text}`);
  return name;
}

/** The incident's directory below `root`, made unless it is there already. */
export async function incidentDirectory(root: string, incident: IncidentCase): Promise<string> {
  const out = join(root, nameOf(incident));
  if (existsSync(join(out, 'truth.json'))) return out;
  rmSync(out, { recursive: true, force: true });
  await makeIncident({ ...incident, out });
  return out;
}

export function truthOf(directory: string): Truth {
  return JSON.parse(readFileSync(join(directory, 'truth.json'), 'utf8')) as Truth;
}

/** Where the images of an incident are mounted below its directory: one place for all, so that names agree. */
export const MOUNTPOINT = 'mnt';

/** Mounts an image of the incident read-only, without replaying anything, while `use` runs. */
export async function whileMounted<T>(
  directory: string,
  image: 't0' | 't1' | 'disk',
  use: (mountpoint: string) => Promise<T>,
): Promise<T> {
  const mountpoint = join(directory, MOUNTPOINT);
  mkdirSync(mountpoint, { recursive: true });
  const kind = DISK_KINDS[filesystemOf(directory)];
  return whileImageMounted(kind, join(directory, `${image}.img`), mountpoint, 'still', () => use(mountpoint));
}

/** Of an incident on a disk image. */
function filesystemOf(directory: string): DiskKindName {
  const { filesystem } = truthOf(directory);
  if (filesystem === 'none') throw new RangeError(`no disk image: ${directory}`);
  return filesystem;
}

/** What the names of the damaged disk lead to. What cannot be looked up is left out. */
export async function typesOf(directory: string): Promise<Map<BytePath, EntryType>> {
  return whileMounted(directory, 'disk', async root => {
    const { output } = run('find', [root, '-printf', '%y /%P\\0'], { accept: [1] });
    const found = output.split('\0').flatMap(entry => {
      const type = TYPES[entry.slice(0, 1)];
      return type === undefined || entry.at(1) !== ' ' ? [] : [[entry.slice(2), type] as const];
    });
    return new Map(found);
  });
}

const TYPES: Readonly<Record<string, EntryType>> = { f: 'file', d: 'directory', l: 'symlink' };
