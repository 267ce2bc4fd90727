// From the entries of a list to what is to be scanned: a field of a target wins over the option of the same name. What is
// wrong with the list ends the sweep before it begins; what is wrong with a target ends its scan alone.

import { resolve } from 'node:path';
import { UsageError } from '../errors.ts';
import type { NamedEntry } from '../fleet/expand-images.ts';
import type { SweptOptions, TargetToSweep } from '../fleet/sweep.ts';
import type { OptionName } from './option-table.ts';
import { refuseReportsOn, storePlace } from './places.ts';
import type { RunFunctions } from './run-functions.ts';
import { locateBefore } from './scan.ts';
import { type JudgedOptions, judgeScanOptions } from './scan-options.ts';
import type { Settings } from './settings.ts';
import { identified, imageSettings, type LocatedTarget, locateTarget } from './target.ts';
import type { World } from './world.ts';

export interface SweepSetting {
  readonly settings: Settings;
  readonly world: World;
  readonly run: Pick<RunFunctions, 'identityOf' | 'parseTimeLimit'>;
  /** Where reports and state go. */
  readonly directory: string;
  /** What paths in the list count from. */
  readonly base: string;
}

/** In the order of their priorities, then of the list. UsageError, with file and line, for a value that makes no sense. */
export function planTargets(entries: readonly NamedEntry[], setting: SweepSetting): TargetToSweep[] {
  const planned = entries.map(entry => placed(entry.place, () => planTarget(entry, setting)));
  const rank = ({ facts }: TargetToSweep): number => facts.priority ?? Number.MAX_SAFE_INTEGER;
  return planned.sort((left, right) => rank(left) - rank(right));
}

function planTarget(entry: NamedEntry, setting: SweepSetting): TargetToSweep {
  const { fields, name, target: path, kind } = entry;
  const settings = withFields(entry, setting);
  const judged = judgeScanOptions(settings, setting.world.processors);
  const limit = fields['time-limit'] ?? setting.settings.text('time-limit');
  const facts = {
    name,
    path,
    kind,
    owner: fields.owner ?? null,
    ticket: fields.ticket ?? null,
    priority: fields.priority ?? null,
  };
  refuseOwnTarget(entry, judged, setting);
  return {
    facts,
    window: judged.window,
    timeLimitMs: setting.run.parseTimeLimit(limit),
    open: () => openTarget(entry, judged, settings, setting),
  };
}

function openTarget(entry: NamedEntry, judged: JudgedOptions, settings: Settings, setting: SweepSetting): SweptOptions {
  const { world, run } = setting;
  const located = locate(entry, setting);
  const target = { ...located, ...imageSettings(located.kind, settings, world.cwd) };
  const baselines = { path: storePlace(settings, world).path };
  const before = settings.list('before').map(image => identified(locateBefore(image, settings, world), run.identityOf));
  const { jobs: _, resume: __, ...options } = judged;
  return { ...options, baselines, before, target: identified(target, run.identityOf) };
}

function locate({ target, kind, name }: NamedEntry, { world }: SweepSetting): LocatedTarget {
  const located = locateTarget({ text: target, cwd: world.cwd, name, hostName: world.hostName });
  if (located.kind === kind) return located;
  throw new UsageError(
    kind === 'image'
      ? `${target}: is a directory: name it by "path"`
      : `${target}: is no directory: name it by "image"`,
  );
}

/** Reports on the file system that is scanned could destroy what is sought. A target that is not there is told later. */
function refuseOwnTarget(entry: NamedEntry, { crossMounts }: JudgedOptions, setting: SweepSetting): void {
  if (setting.settings.flag('force')) return;
  const located = locateOrNull(entry, setting);
  if (located !== null) refuseReportsOn(located, crossMounts, setting.directory);
}

function locateOrNull(entry: NamedEntry, setting: SweepSetting): LocatedTarget | null {
  try {
    return locate(entry, setting);
  } catch (error) {
    if (error instanceof UsageError) return null;
    throw error;
  }
}

/** The command's settings, with the target's own fields in their place. */
function withFields({ fields }: NamedEntry, { settings, base }: SweepSetting): Settings {
  const reference = fields.reference?.map(text => fromBase(base, text));
  const folders = fields['allow-backing']?.map(folder => resolve(base, folder));
  const before = fields.before?.map(image => resolve(base, image));
  const more = fields.with?.map(image => resolve(base, image));
  const given = new Map<string, readonly string[]>(
    Object.entries({
      window: listOf(fields.window),
      baseline: listOf(fields.baseline),
      include: fields.include,
      exclude: fields.exclude,
      reference,
      before,
      with: more,
      'allow-backing': folders,
    }).flatMap(([name, values]) => (values === undefined ? [] : [[name, values] as const])),
  );
  return {
    text: name => given.get(name)?.[0] ?? (OF_ONE_TARGET.includes(name) ? null : settings.text(name)),
    list: name => given.get(name) ?? (OF_ONE_TARGET.includes(name) ? [] : settings.list(name)),
    flag: name => settings.flag(name),
    isOff: name => settings.isOff(name),
  };
}

/** A configuration file may hold them for a scan; no two targets share them. */
const OF_ONE_TARGET: readonly string[] = [
  'baseline',
  'before',
  'with',
  'host',
  'json',
  'suspect-extents',
] satisfies OptionName[];

function listOf(value: string | undefined): string[] | undefined {
  return value === undefined ? undefined : [value];
}

function fromBase(base: string, text: string): string {
  const colon = text.indexOf(':');
  return colon === -1 ? text : text.slice(0, colon + 1) + resolve(base, text.slice(colon + 1));
}

function placed<Result>(place: string, act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${place}: ${error.message}`);
    throw error;
  }
}
