// What the expectations of one package have in common: its owner record, when it came, and how to get its files again.

import type { Nanoseconds, Owner, Remedy, Stat } from '../../model.ts';
import type { InfoFiles } from './database.ts';
import type { Package } from './packages.ts';

export interface InstalledPackage {
  readonly name: string;
  readonly replaces: ReadonlySet<string>;
  readonly installedAtNs: Nanoseconds | null;
  readonly owner: Owner;
  readonly remedy: Remedy;
  /** For its configuration files that are missing. */
  readonly conffileRemedy: Remedy;
}

/**
 * @param files its files in `info`, which dpkg writes anew as the last step of unpacking; null when they are not there.
 * @param inPlace the database is the target's own, and not a copy from elsewhere.
 * @param native the target's own architecture: packages of another need it in their name.
 */
export function describeInstalled(
  subject: Package,
  files: InfoFiles | null,
  inPlace: boolean,
  native: string | null,
): InstalledPackage {
  return {
    name: subject.name,
    replaces: subject.replaces,
    installedAtNs: installedAt(files, inPlace),
    owner: { kind: 'package', name: subject.name, version: subject.version },
    remedy: remedyOf(subject, native),
    conffileRemedy: conffileRemedyOf(subject, native),
  };
}

/**
 * When what is known of its files was written. A list that was written again later (another package took files over) or came
 * back from another day does not make digests newer than they are.
 */
function installedAt(files: InfoFiles | null, inPlace: boolean): Nanoseconds | null {
  const list = files?.list?.stat ?? null;
  const md5sums = files?.md5sums?.stat ?? null;
  const first = list ?? md5sums;
  if (first === null) return null;
  const writtenNs = writtenAt(first, inPlace);
  return inPlace && md5sums !== null && md5sums.ctimeNs < writtenNs ? md5sums.ctimeNs : writtenNs;
}

/** dpkg writes a list and renames it into place: its two times are this close unless the file was copied since. */
const RENAMED_NS = 60_000_000_000n;

/**
 * In the target itself the change time: the kernel sets it at the renaming that put the list there, just after the files'
 * own. A copy of the whole system stamps everything anew, in any order, and tells of itself by a modification time that is
 * far older: then, and in a database that was copied here, the older of the two is when dpkg wrote it.
 */
function writtenAt(list: Stat, inPlace: boolean): Nanoseconds {
  const isRenamed = list.ctimeNs - list.mtimeNs < RENAMED_NS;
  if ((inPlace && isRenamed) || list.ctimeNs < list.mtimeNs) return list.ctimeNs;
  return list.mtimeNs;
}

function remedyOf(subject: Package, native: string | null): Remedy {
  const name = nameForApt(subject, native);
  const detail = `Reinstall the package ${title(subject)}, which brings the file.`;
  return { action: 'reinstall', detail, command: `apt-get install --reinstall ${name}` };
}

/** For one that is missing: --force-confmiss brings it back, and touches none that is there. */
function conffileRemedyOf(subject: Package, native: string | null): Remedy {
  const name = nameForApt(subject, native);
  const detail = `Reinstall the package ${title(subject)} so that it brings the missing file.`;
  const command = `apt-get install --reinstall -o Dpkg::Options::=--force-confmiss ${name}`;
  return { action: 'reinstall', detail, command };
}

function title(subject: Package): string {
  return subject.version === null ? subject.name : `${subject.name} ${subject.version}`;
}

/** Name, architecture and version have passed package-name.ts: nothing in them needs quoting. */
function nameForApt(subject: Package, native: string | null): string {
  const { architecture } = subject;
  const foreign = native !== null && architecture !== null && architecture !== 'all' && architecture !== native;
  const name = foreign ? `${subject.name}:${architecture}` : subject.name;
  return subject.version === null ? name : `${name}=${subject.version}`;
}
