// Where an image's own system mounts its other volumes: what packages have there lies in another volume, not missing here.

import { isOfMedium } from '../digest/read-content.ts';
import type { Filesystem } from '../filesystems/filesystem.ts';
import type { BytePath } from '../model.ts';
import { PathResolver } from '../tree/resolve-path.ts';

const FSTAB = '/etc/fstab';
const FSTAB_BYTES_AT_MOST = 1024 * 1024;

/** Mount points of /etc/fstab other than the root (fstab(5): blanks as \040). Empty when there is no readable one. */
export function mountPointsOf(filesystem: Filesystem): Set<BytePath> {
  return new Set(
    linesOf(filesystem)
      .map(line => line.trim().split(/[ \t]+/))
      .filter(fields => fields.length >= 3 && !fields[0]?.startsWith('#'))
      .map(fields => plainField(fields[1] ?? ''))
      .filter(path => path.startsWith('/') && path !== '/')
      .map(path => path.replace(/\/+$/, '')),
  );
}

function linesOf(filesystem: Filesystem): string[] {
  const entry = new PathResolver(filesystem).entry(FSTAB);
  if (entry === null || entry.stat === null || entry.stat.type !== 'file') return [];
  try {
    const file = filesystem.open(entry);
    const bytes = Buffer.alloc(Math.min(file.size, FSTAB_BYTES_AT_MOST));
    const count = file.read(bytes, 0);
    file.close();
    return bytes.toString('latin1', 0, count).split('\n');
  } catch (error) {
    // Damage of the file itself is a finding of the scan; here it only means that no mount points are known.
    if (isOfMedium(error)) return [];
    throw error;
  }
}

function plainField(field: string): BytePath {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
