// What other programs said of a damaged disk, from what they printed: which paths they accuse, and of what. Pure. Text is
// latin1, one character a byte; paths are absolute within the disk.

import type { BytePath } from '../../src/model.ts';

/** changed: it is there, and is not as it should be; missing: it should be there; new: it should not. */
export type Blame = 'changed' | 'missing' | 'new';

/** Each path once. */
export type Accused = ReadonlyMap<BytePath, Blame>;

/** AIDE's report of a check with `report_format=json`; unusual bytes of names stand there as `\ooo`. */
export function accusedByAide(json: string): Accused {
  const report = JSON.parse(json) as Readonly<Record<string, Readonly<Record<string, string>> | undefined>>;
  const paths = (section: string, blame: Blame): [BytePath, Blame][] =>
    Object.keys(report[section] ?? {}).map(name => [unescapeOctal(name), blame]);
  return new Map([...paths('added', 'new'), ...paths('removed', 'missing'), ...paths('changed', 'changed')]);
}

function unescapeOctal(name: string): BytePath {
  return name.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/**
 * hashdeep's audit (`-a -vv`, relative paths from the root) against the paths that its list knows. A file that it knows by
 * content from another place has moved, for hashdeep: that accuses the name only if the list has another content for it.
 */
export function accusedByHashdeep(audit: string, listed: ReadonlySet<BytePath>): Accused {
  const accused = new Map<BytePath, Blame>();
  for (const line of audit.split('\n')) {
    const [, name = '', answer = ''] = /^\.(\/.*): (No match|Known file not used|Moved from .*)$/s.exec(line) ?? [];
    if (name === '') continue;
    if (answer === 'Known file not used') accused.set(name, accused.get(name) ?? 'missing');
    else if (listed.has(name)) accused.set(name, 'changed');
    else if (answer === 'No match') accused.set(name, 'new');
  }
  return accused;
}

/** The paths of a list that hashdeep wrote: `size,digest,./path` lines. */
export function listedByHashdeep(list: string): Set<BytePath> {
  const lines = list.split('\n').filter(line => /^\d/.test(line));
  return new Set(lines.map(line => line.split(',').slice(2).join(',').replace(/^\./, '')));
}

/** `debsums -s`; null when it died, as it does of a damaged package database. Paths begin with the root that it was given. */
export function accusedByDebsums(messages: string, root: string): Accused | null {
  const accused = new Map<BytePath, Blame>();
  for (const line of messages.split('\n')) {
    const [, what, name = ''] = /^debsums: (changed|missing) file (.*) \(from .* package\)$/.exec(line) ?? [];
    if (what === undefined && /error|no packages|^debsums: dpkg-query/.test(line)) return null;
    if (what !== undefined) accused.set(withoutRoot(name, root), what === 'changed' ? 'changed' : 'missing');
  }
  return accused;
}

function withoutRoot(name: string, root: string): BytePath {
  return name.startsWith(`${root}/`) ? name.slice(root.length) : name;
}

/** Names that lead to each inode number of the disk. */
export type NamesOfInodes = ReadonlyMap<number, readonly BytePath[]>;

/** Places of inode numbers and names in the messages of e2fsck (its e2fsck/problem.c). */
const INODES = /\b[Ii]node #?(\d+)|\(inode #(\d+)/g;
const ENTRY = /^Entry '(.*)' in (\S.*) \((\d+)\)/;

/**
 * `e2fsck -fn`: every inode that it names, by its names, and every entry that it would clear. An inode number without a name
 * accuses no path.
 */
export function accusedByFsck(messages: string, names: NamesOfInodes): Accused {
  const accused = new Map<BytePath, Blame>();
  for (const line of messages.split('\n')) {
    const [, name, directory = '', inode] = ENTRY.exec(line) ?? [];
    if (name !== undefined) accuseEntry(accused, name, [...(names.get(Number(inode)) ?? []), directory]);
    else for (const number of inodesOf(line)) for (const path of names.get(number) ?? []) accused.set(path, 'changed');
  }
  return accused;
}

/** Places of inode numbers and names in the messages of xfs_repair (its repair/dinode.c, dir2.c and phase6.c). */
const XFS_INODES = /\bino(?:de)? (\d+)/g;
const XFS_ENTRY = /^entry "(.*)" .*?\bdirectory(?: inode)? (\d+)/;

/** `xfs_repair -n`: every inode that it names, by its names, and every entry that it would clear. */
export function accusedByXfsRepair(messages: string, names: NamesOfInodes): Accused {
  const accused = new Map<BytePath, Blame>();
  for (const line of messages.split('\n')) {
    const [, name, directory] = XFS_ENTRY.exec(line) ?? [];
    if (name !== undefined) accuseEntry(accused, name, names.get(Number(directory)) ?? []);
    else
      for (const [, inode] of line.matchAll(XFS_INODES))
        for (const path of names.get(Number(inode)) ?? []) accused.set(path, 'changed');
  }
  return accused;
}

function accuseEntry(accused: Map<BytePath, Blame>, name: string, [directory = '']: readonly BytePath[]): void {
  accused.set(`${directory === '/' ? '' : directory}/${name}`, 'changed');
}

function inodesOf(line: string): number[] {
  return [...line.matchAll(INODES)].map(([, plain, hashed]) => Number(plain ?? hashed));
}
