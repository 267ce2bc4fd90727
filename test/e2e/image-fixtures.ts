// Disk images as virtual machines and administrators make them: filled by the kernel, put into containers and partitions by
// their own tools. What those tools say of them is what the tests expect.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import type { BytePath, Stat } from '../../src/model.ts';
import type { BaselineRecord } from '../../src/store/baseline-record.ts';
import { openStore } from '../../src/store/store.ts';
import { type Amounts, populate } from '../filesystems/ext4/populate.ts';
import { IS_ROOT, type Place, skipping, succeeds } from './program.ts';

export const MIB = 2 ** 20;
export const AMOUNTS: Amounts = { files: 60, oddNames: 300, crowd: 150, sparseBytes: 64 * MIB, depth: 40 };
const TOOLS: readonly (readonly [tool: string, versionFlag: string])[] = [
  ['mkfs.ext4', '-V'],
  ['debugfs', '-V'],
  ['setfattr', '--version'],
  ['dpkg', '--version'],
  ['dpkg-deb', '--version'],
];

/** Whether images can be made and mounted here; says what is lacking. */
export function canMount(): boolean {
  if (!IS_ROOT) return skipping('mounting images needs root') !== null;
  const lacking = TOOLS.filter(([tool, flag]) => !succeeds(tool, [flag])).map(([tool]) => tool);
  if (!succeeds('losetup', ['-f'])) lacking.push('a free loop device');
  return lacking.length === 0 || skipping(`images need ${lacking.join(', ')}`) !== null;
}

/** Whether all of these are installed; says which is not. */
export function hasTools(...tools: readonly string[]): boolean {
  const lacking = tools.filter(tool => !succeeds('sh', ['-c', `command -v ${tool}`]));
  return lacking.length === 0 || skipping(`needs ${lacking.join(', ')}`) !== null;
}

/** Runs a tool and returns what it printed, a byte a character. Throws with its messages when it fails. */
export function tool(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'latin1', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 2 ** 26 });
}

/** A sparse file of zeros. */
export function blank(path: string, sizeBytes: number): string {
  closeSync(openSync(path, 'w'));
  truncateSync(path, sizeBytes);
  return path;
}

export function copy(from: string, to: string): string {
  tool('cp', '--sparse=always', from, to);
  return to;
}

/** Puts a file at an offset of another one. */
export function putAt(disk: string, offset: number, part: string): void {
  tool('dd', `if=${part}`, `of=${disk}`, 'bs=1M', `seek=${offset / MIB}`, 'conv=notrunc,sparse', 'status=none');
}

/** Calls back with the image mounted, and unmounts it whatever happens. */
export function mounted<T>(image: string, options: string, use: (point: string) => T, type = 'ext4'): T {
  const point = `${image}.mounted`;
  mkdirSync(point, { recursive: true });
  tool('mount', '-t', type, '-o', `loop,${options}`, image, point);
  try {
    return use(point);
  } finally {
    tool('umount', point);
  }
}

/** An empty ext4 of 48 MiB, and a copy of it that the kernel has filled with oddities and dpkg with a package. */
export function makeImages(place: Place): { readonly empty: string; readonly filled: string } {
  const empty = blank(place.at('empty.img'), 48 * MIB);
  tool('mkfs.ext4', '-q', '-F', '-b', '4096', empty);
  const filled = copy(empty, place.at('filled.img'));
  const packed = makePackage(place);
  mounted(filled, 'rw', point => {
    populate(point, AMOUNTS);
    install(point, packed);
  });
  return { empty, filled };
}

/** A package of three files and a conffile. */
export function makePackage(place: Place): string {
  const root = place.at('package');
  mkdirSync(`${root}/DEBIAN`, { recursive: true });
  mkdirSync(`${root}/usr/share/oddities`, { recursive: true });
  mkdirSync(`${root}/etc`);
  chmodSync(root, 0o755);
  const control = 'Package: oddities\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\n';
  writeFileSync(`${root}/DEBIAN/control`, `${control}Description: files that a package brought\n`);
  writeFileSync(`${root}/DEBIAN/conffiles`, '/etc/oddities.conf\n');
  writeFileSync(`${root}/etc/oddities.conf`, 'odd = yes\n');
  for (const name of ['one', 'two', 'three']) writeFileSync(`${root}/usr/share/oddities/${name}`, name.repeat(3000));
  const packed = place.at('oddities.deb');
  tool('dpkg-deb', '--build', '--root-owner-group', root, packed);
  return packed;
}

/** Makes a package database below `root`, and installs the package there. */
export function install(root: string, packed: string): void {
  mkdirSync(`${root}/var/lib/dpkg/info`, { recursive: true });
  mkdirSync(`${root}/var/lib/dpkg/updates`);
  writeFileSync(`${root}/var/lib/dpkg/status`, '');
  tool('dpkg', `--root=${root}`, '--log=/dev/null', '--install', packed);
}

/** Where in an image of 4 KiB blocks debugfs says that an inode lies. */
export function inodeAt(image: string, path: string): number {
  const [, block = '', offset = ''] =
    /located at block (\d+), offset (0x[0-9a-f]+)/.exec(tool('debugfs', '-R', `imap ${path}`, image)) ?? [];
  return Number(block) * 4096 + Number(offset);
}

interface FileState {
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly size: bigint;
  readonly sha256: string;
}

/** What nothing may change: the bytes of a file, and its times. Taken before they are read here. */
export function stateOf(path: string): FileState {
  const { atimeNs, mtimeNs, ctimeNs, size } = statSync(path, { bigint: true });
  return { atimeNs, mtimeNs, ctimeNs, size, sha256: createHash('sha256').update(readFileSync(path)).digest('hex') };
}

/** The same before a scan, with a time of access so old that any read would renew it that is allowed to. */
export function stateBefore(path: string): FileState {
  const { sha256 } = stateOf(path);
  utimesSync(path, 0, statSync(path).mtimeMs / 1000);
  const { atimeNs, mtimeNs, ctimeNs, size } = statSync(path, { bigint: true });
  return { atimeNs, mtimeNs, ctimeNs, size, sha256 };
}

/** Regular files of which a block lies at `block` or beyond, as debugfs has it. */
export function pathsBeyond(image: string, point: string, block: number): BytePath[] {
  const named = tool('find', point, '-type', 'f', '-printf', '%i /%P\\0').split('\0').slice(0, -1);
  const files = named.map(line => ({ inode: line.split(' ', 1)[0] ?? '', path: line.slice(line.indexOf(' ') + 1) }));
  const requests = `${image}.requests`;
  writeFileSync(requests, files.map(({ inode }) => `blocks <${inode}>\n`).join(''));
  const answers = tool('debugfs', '-f', requests, image)
    .split(/^debugfs: blocks <\d+>\n/m)
    .slice(1);
  return files.flatMap(({ path }, index) => {
    const blocks = (answers[index] ?? '').trim().split(/\s+/).map(Number);
    return blocks.some(each => each >= block) ? [path] : [];
  });
}

/** Every path below a directory, as find lists them, a byte a character. */
export function pathsOf(root: string): BytePath[] {
  const names = tool('find', root, '-printf', '/%P\\0').split('\0');
  return names.slice(0, -1).sort();
}

/** "/path" to digest, of every regular file, as sha256sum has it. */
export function digestsOf(root: string): Map<BytePath, string> {
  const lines = tool('find', root, '-type', 'f', '-exec', 'sha256sum', '--zero', '{}', '+').split('\0').slice(0, -1);
  return new Map(lines.map(line => [line.slice(66 + root.length), line.slice(0, 64)] as const));
}

export interface ComparableRecord extends Omit<Stat, 'generation'> {
  readonly linkTarget: BytePath | null;
  readonly unread: string | null;
  readonly sha256: string | null;
  /** In hex. */
  readonly blocks: string | null;
}

/** What a generation holds, by path: all that image and mount have in common. Only an image knows inode generations. */
export function recordsOf(place: Place, baseline: string, volume = 0): Map<BytePath, ComparableRecord> {
  const store = openStore(place.store, 'read');
  try {
    const [generation] = store.generations(baseline);
    if (generation === undefined) throw new Error(`no baseline ${baseline}`);
    return new Map([...store.records(generation.id, volume)].map(record => [record.path, comparable(record)] as const));
  } finally {
    store.close();
  }
}

function comparable({ stat, linkTarget, content, unread }: BaselineRecord): ComparableRecord {
  const { generation: _, ...common } = stat;
  const blocks = content === null ? null : Buffer.from(content.blocks).toString('hex');
  return { ...common, linkTarget, unread, sha256: content?.sha256 ?? null, blocks };
}
