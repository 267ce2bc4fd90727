// Which directories are mount points, and which file systems are the kernel's own windows rather than anything stored.
// A device number alone does not tell of a bind mount of the same file system: /proc/self/mountinfo (proc(5)) does.

import { readFileSync, statfsSync } from 'node:fs';
import { errorCode } from '../../errors.ts';
import type { BytePath } from '../../model.ts';
import { DEFAULT_HABITS, type InodeHabits } from '../filesystem.ts';

/** Host byte paths of the mount points of this process, each with its device as `major:minor`. */
export type MountTable = ReadonlyMap<BytePath, ReadonlySet<string>>;

/** Empty where there is no /proc: device numbers then have to do. */
export function readMountTable(): MountTable {
  const table = new Map<BytePath, Set<string>>();
  for (const line of mountInfo().split('\n')) {
    const [, , device, , place] = line.split(' ');
    if (device === undefined || place === undefined) continue;
    const path = decodeOctal(place);
    table.set(path, (table.get(path) ?? new Set()).add(device));
  }
  return table;
}

function mountInfo(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'latin1');
  } catch (error) {
    if (errorCode(error) === null) throw error;
    return '';
  }
}

/** Space, tab, line feed and backslash stand as octal. */
function decodeOctal(place: string): BytePath {
  return place.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/**
 * Whether the table's mount at `path` is what is seen there: one that lies hidden below another mount has, as a rule,
 * another device. File systems without a device (major 0) show other numbers in stat than in the table.
 */
export function isMountPoint(table: MountTable, path: BytePath, device: bigint): boolean {
  const devices = table.get(path);
  if (devices === undefined) return false;
  return devices.has(deviceText(device)) || [...devices].some(each => each.startsWith('0:'));
}

/** As glibc's major() and minor() take a dev_t apart. */
function deviceText(device: bigint): string {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}

/** File systems without stored content, by statfs(2)'s f_type (linux/magic.h, and the kernel's sources of each). */
const PSEUDO = new Set([
  0x9fa0, // proc
  0x62656572, // sysfs
  0x27e0eb, // cgroup
  0x63677270, // cgroup2
  0x64626720, // debugfs
  0x74726163, // tracefs
  0x73636673, // securityfs
  0xf97cff8c, // selinuxfs
  0x5a3c69f0, // AppArmor
  0x62656570, // configfs
  0x1cd1, // devpts
  0xcafe4a11, // bpf
  0x6165676c, // pstore
  0xde5e81e4, // efivarfs
  0x42494e4d, // binfmt_misc
  0x65735543, // fusectl
  0x19800202, // mqueue
  0x187, // autofs: looking inside would mount something
  0x6e736673, // nsfs
  0x67596969, // rpc_pipefs
  0x6e667364, // nfsd
]);

/** Whether a file system of the kernel's own is mounted at this host path. */
export function isPseudo(path: string | Buffer): boolean {
  return PSEUDO.has(statfsSync(path).type);
}

/** Of XFS as mkfs.xfs makes it: inodes of 512 bytes in blocks of 4 KiB. */
const XFS_HABITS: InodeHabits = { perBlock: 8, first: 0, stampsExchange: false, reusesNumbers: true };
const XFS_SUPER_MAGIC = 0x58465342;

/** Of the file system that the directory is on. Throws the system's error. */
export function inodeHabitsAt(path: string | Buffer): InodeHabits {
  return statfsSync(path).type === XFS_SUPER_MAGIC ? XFS_HABITS : DEFAULT_HABITS;
}
