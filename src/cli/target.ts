// From what a person typed as TARGET to what it names. Its identity is taken by whoever reads it (run-functions.ts).

import { realpathSync, type Stats, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { errorCode, UsageError } from '../errors.ts';
import type { TargetIdentity, TargetPart, TargetSpec } from '../model.ts';
import type { Settings } from './settings.ts';
import { failureWords } from './trouble.ts';

type LocatedPart = Omit<TargetPart, 'identity'>;
export type LocatedTarget = Omit<TargetSpec, 'identity' | 'more'> & { readonly more?: readonly LocatedPart[] };

export interface TargetRequest {
  readonly text: string;
  readonly cwd: string;
  /** --host, or null. */
  readonly name: string | null;
  readonly hostName: string;
}

/** A directory; a file or block device is an image; `vm.qcow2@NAME` a snapshot in one. UsageError for anything else. */
export function locateTarget(request: TargetRequest): LocatedTarget {
  const { path, snapshot, stats } = locate(request.text, request.cwd);
  const kind = kindOf(request.text, stats);
  if (kind === 'directory' && snapshot !== null)
    throw new UsageError(`${request.text}: a directory has no snapshots; name an image before the @`);
  const name = request.name ?? (path === '/' ? request.hostName : request.text);
  return { kind, name, path, snapshot };
}

/** What concerns the opening of images; nothing for a directory. */
export function imageSettings(
  kind: TargetSpec['kind'],
  settings: Settings,
  cwd: string,
): Pick<LocatedTarget, 'allowBacking' | 'replay' | 'more'> {
  const more = settings.list('with').map(text => locatePart(text, cwd));
  if (kind === 'directory') {
    if (more.length > 0) throw new UsageError(`a directory is scanned by itself: run it once for each TARGET`);
    return {};
  }
  const allowBacking = settings.list('allow-backing').map(folder => resolve(cwd, folder));
  return { allowBacking, replay: !settings.isOff('replay'), ...(more.length === 0 ? {} : { more }) };
}

function locatePart(text: string, cwd: string): LocatedPart {
  const { path, snapshot, stats } = locate(text, cwd);
  if (kindOf(text, stats) === 'image') return { path, snapshot };
  throw new UsageError(`${text}: a directory is scanned by itself: run it once for each TARGET`);
}

/** The target as every worker will check it. */
export function identified(located: LocatedTarget, identityOf: (path: string) => TargetIdentity): TargetSpec {
  const { more = [], ...target } = located;
  const parts = more.map(part => ({ ...part, identity: identityOf(part.path) }));
  return { ...target, ...(parts.length === 0 ? {} : { more: parts }), identity: identityOf(target.path) };
}

interface Place {
  readonly path: string;
  readonly snapshot: string | null;
  readonly stats: Stats;
}

function locate(text: string, cwd: string): Place {
  if (text === '') throw new UsageError('the TARGET is empty');
  const whole = statOrNull(resolve(cwd, text), text);
  if (whole !== null) return { path: realpathSync(resolve(cwd, text)), snapshot: null, stats: whole };
  const at = text.lastIndexOf('@');
  const file = at > 0 && at < text.length - 1 ? resolve(cwd, text.slice(0, at)) : null;
  const stats = file === null ? null : statOrNull(file, text);
  if (file === null || stats === null) throw new UsageError(`${text}: no such file or directory`);
  return { path: realpathSync(file), snapshot: text.slice(at + 1), stats };
}

function statOrNull(path: string, text: string): Stats | null {
  try {
    return statSync(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return null;
    throw new UsageError(`${text}: ${failureWords(error)}`);
  }
}

function kindOf(text: string, stats: Stats): TargetSpec['kind'] {
  if (stats.isDirectory()) return 'directory';
  if (stats.isFile() || stats.isBlockDevice()) return 'image';
  throw new UsageError(`${text}: neither a directory, a disk image nor a block device`);
}
