// Names that a reference knows, in directories that could not be listed whole: some still lead somewhere when they are asked
// for by themselves. They are looked up once, before anything is read, and kept with the run: every pass sees the same.

import { faultOf } from '../filesystems/fault.ts';
import type { Entry, Filesystem } from '../filesystems/filesystem.ts';
import type { BytePath } from '../model.ts';
import { isBelow } from '../path.ts';
import type { Run } from '../store/scan-runs.ts';
import { fromJson, toJson } from './bigint-json.ts';
import type { PathGroup } from './path-stream.ts';
import type { SpoolEntry } from './spool.ts';

/** About 500 bytes each: beyond it, names stay unlisted. */
const NAMES_AT_MOST = 200_000;

/** Looks up what the groups lack. Resumed runs have the answers of the first. */
export function keepUnlisted(run: Run, volume: number, groups: Iterable<PathGroup>, filesystem: Filesystem): void {
  if (filesystem.lookUp === undefined || run.blob(kindOf(volume), 0) !== null) return;
  const found: SpoolEntry[] = [];
  let cutShort: BytePath | null = null;
  for (const { path, entry } of groups) {
    if (cutShort !== null && !isBelow(path, cutShort)) cutShort = null;
    if (cutShort === null && isCutShort({ entry })) cutShort = path;
    const there = cutShort === null || entry !== null ? null : filesystem.lookUp(path);
    const isOfTree = there?.device === filesystem.root.device;
    if (there !== null && isOfTree && found.length < NAMES_AT_MOST) found.push(spoolEntry(there, filesystem));
  }
  run.putBlob(kindOf(volume), 0, Buffer.from(toJson(found), 'utf8'));
}

/** A directory that could not be listed whole. */
export function isCutShort({ entry }: Pick<PathGroup, 'entry'>): boolean {
  return entry?.stat?.type === 'directory' && entry.fault?.kind === 'unreadable';
}

/** By path. */
export function unlistedOf(run: Run, volume: number): ReadonlyMap<BytePath, SpoolEntry> {
  const bytes = run.blob(kindOf(volume), 0);
  const found = bytes === null ? [] : (fromJson(Buffer.from(bytes).toString('utf8')) as SpoolEntry[]);
  return new Map(found.map(entry => [entry.path, entry]));
}

function kindOf(volume: number): string {
  return `unlisted:${volume}`;
}

function spoolEntry(entry: Entry, filesystem: Filesystem): SpoolEntry {
  const common = { ...entry, kind: 'entry', direntType: null } as const;
  try {
    const linkTarget = entry.stat.type === 'symlink' ? filesystem.readLink(entry) : null;
    return { ...common, linkTarget, fault: null };
  } catch (error) {
    return { ...common, linkTarget: null, fault: faultOf(error) };
  }
}
