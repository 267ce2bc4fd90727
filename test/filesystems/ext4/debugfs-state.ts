// What debugfs says that an image holds: the oracle for formats that the kernel at hand does not mount. It has a reader of
// its own (libext2fs), and shows inodes, names and bytes without a mount. Names without newlines only.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { EntryType } from '../../../src/model.ts';
import { run } from './loop-mount.ts';
import type { EntryState, TreeState } from './mount-state.ts';

const TYPES: Readonly<Record<string, EntryType>> = {
  regular: 'file',
  directory: 'directory',
  symlink: 'symlink',
  FIFO: 'fifo',
  socket: 'socket',
  'character special': 'character-device',
  'block special': 'block-device',
};
const ROOT_INODE = 2;
const INLINE_DATA = 0x10000000;

/** Every path with its inode and content. `scratch` is a directory that it makes, and removes. */
export function stateOfDebugfs(image: string, scratch: string): TreeState {
  const names = namesOf(image);
  const inodes = [...new Set(names.values())];
  mkdirSync(scratch);
  const stats = ask(
    image,
    scratch,
    inodes.map(inode => `stat <${inode}>`),
  );
  ask(
    image,
    scratch,
    inodes.map(inode => `dump <${inode}> ${scratch}/${inode}`),
  );
  const states = new Map(inodes.map((inode, index) => [inode, stateOf(inode, stats[index] ?? '', scratch)]));
  rmSync(scratch, { recursive: true });
  return new Map([...names].flatMap(([path, inode]) => [[path, states.get(inode)] as const]).filter(isKnown));
}

function isKnown(pair: readonly [string, EntryState | undefined]): pair is readonly [string, EntryState] {
  return pair[1] !== undefined;
}

/** Paths and their inodes, level by level. */
function namesOf(image: string): Map<string, number> {
  const names = new Map([['/', ROOT_INODE]]);
  for (let level: [string, number][] = [['', ROOT_INODE]]; level.length > 0; ) {
    const listings = ask(
      image,
      `${image}.requests`,
      level.map(([, inode]) => `ls -p <${inode}>`),
    );
    level = level.flatMap(([path], index) => listed(path, listings[index] ?? '', names));
  }
  return names;
}

/** Notes a directory's entries; gives those that are directories. Lines: /inode/mode/uid/gid/name/size/ */
function listed(path: string, listing: string, names: Map<string, number>): [string, number][] {
  const entries = [...listing.matchAll(/^\/(\d+)\/(\d+)\/\d+\/\d+\/([^/]+)\/\d*\/$/gm)];
  const own = entries.filter(([, , , name]) => name !== '.' && name !== '..');
  for (const [, inode, , name] of own) names.set(`${path}/${name}`, Number(inode));
  return own
    .filter(([, , mode]) => mode?.startsWith('04'))
    .map(([, inode, , name]) => [`${path}/${name}`, Number(inode)]);
}

/** The answers to requests, in their order. */
function ask(image: string, scratch: string, requests: readonly string[]): string[] {
  const file = scratch.endsWith('.requests') ? scratch : `${scratch}/requests`;
  writeFileSync(file, requests.map(request => `${request}\n`).join(''));
  return run('debugfs', ['-f', file, image])
    .split(/^debugfs: .*\n/m)
    .slice(1);
}

function stateOf(inode: number, text: string, scratch: string): EntryState {
  const field = (name: string): string => fieldOf(text, name);
  const type = TYPES[/Type: ([A-Za-z ]+?) +Mode/.exec(text)?.[1] ?? ''];
  if (type === undefined) throw new Error(`debugfs of inode ${inode}: ${text}`);
  const hasSize = type === 'file' || type === 'directory' || type === 'symlink';
  return {
    type,
    mode: Number.parseInt(field('Mode'), 8),
    uid: Number(field('User')),
    gid: Number(field('Group')),
    size: hasSize ? Number(field('Size')) : 0,
    links: Number(field('Links')),
    inode: BigInt(inode),
    mtimeNs: timeOf(text, 'mtime') ?? 0n,
    ctimeNs: timeOf(text, 'ctime') ?? 0n,
    crtimeNs: timeOf(text, 'crtime'),
    blocks: Number(field('Blockcount')) + blocksInInode(type, text),
    content: contentOf(type, text, `${scratch}/${inode}`),
  };
}

/** A mount counts what lies in a file's inode like blocks of its own (ext4_file_getattr). */
function blocksInInode(type: EntryType, text: string): number {
  const isInline = type === 'file' && (Number(fieldOf(text, 'Flags')) & INLINE_DATA) !== 0;
  return isInline ? Math.ceil(Number(fieldOf(text, 'Size')) / 512) : 0;
}

/** The first of this name; a fragment has a size too, further down. */
function fieldOf(text: string, name: string): string {
  return new RegExp(`${name}: +(\\S+)`).exec(text)?.[1] ?? '';
}

/** " ctime: 0xSECONDS:EXTRA --": of the extra word two bits continue the seconds, thirty are nanoseconds. */
function timeOf(text: string, name: string): bigint | null {
  const [, seconds, extra = '0'] = new RegExp(`^ ?${name}: 0x([0-9a-f]+)(?::([0-9a-f]+))? --`, 'm').exec(text) ?? [];
  if (seconds === undefined) return null;
  const more = BigInt(`0x${extra}`);
  return (BigInt.asIntN(32, BigInt(`0x${seconds}`)) + ((more & 3n) << 32n)) * 1_000_000_000n + (more >> 2n);
}

function contentOf(type: EntryType, text: string, dump: string): string | null {
  if (type === 'symlink') return /^Fast link dest: "(.*)"$/m.exec(text)?.[1] ?? readFileSync(dump, 'latin1');
  if (type !== 'file') return null;
  // Of what lies in an inode it dumps all that there is room for.
  const bytes = readFileSync(dump).subarray(0, Number(fieldOf(text, 'Size')));
  return createHash('sha256').update(bytes).digest('hex');
}
