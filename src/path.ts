// Paths as bytes: how they are ordered, taken apart, and handed to Node or taken from a person.
//
// The order that walks, stores and references share is that of the path key: a path's bytes with "/" as 0x00, so that a
// directory's subtree follows it at once ("a", "a/x", "a-b"), as a depth-first walk with sorted names meets it.

import type { BytePath } from './model.ts';
/** "/" -> "", "/a/b" -> "a\0b": one character a byte; compare with `<`. */
export function pathKey(path: BytePath): string {
  return path.slice(1).replaceAll('/', '\0');
}

/** The inverse of pathKey. */
export function pathOfKey(key: string): BytePath {
  return `/${key.replaceAll('\0', '/')}`;
}

/** <0, 0 or >0: tree order of two paths. Makes no keys: merges compare millions of times. */
export function comparePaths(left: BytePath, right: BytePath): number {
  const common = Math.min(left.length, right.length);
  for (let index = 0; index < common; index++) {
    const difference = rank(left.charCodeAt(index)) - rank(right.charCodeAt(index));
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

const SLASH = 0x2f;

function rank(byte: number): number {
  return byte === SLASH ? 0 : byte;
}

/** "/a/b" -> "/a", "/a" -> "/", "/" -> null. */
export function parentPath(path: BytePath): BytePath | null {
  if (path === '/') return null;
  const slash = path.lastIndexOf('/');
  return slash === 0 ? '/' : path.slice(0, slash);
}

/** The last component; "" for the root. */
export function baseName(path: BytePath): BytePath {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Joins a directory and a name. */
export function childPath(directory: BytePath, name: BytePath): BytePath {
  return directory === '/' ? `/${name}` : `${directory}/${name}`;
}

/** Whether `path` lies below `directory` (not the directory itself). */
export function isBelow(path: BytePath, directory: BytePath): boolean {
  if (directory === '/') return path !== '/';
  return path.length > directory.length && path.startsWith(directory) && path[directory.length] === '/';
}

/** Whether every byte is below 0x80. A loop: names are short, and there are millions. */
export function isAscii(path: BytePath): boolean {
  for (let index = 0; index < path.length; index++) if (path.charCodeAt(index) > 0x7f) return false;
  return true;
}

/** What node:fs takes: the string itself when it is ASCII (fast), else the exact bytes. */
export function hostPath(path: BytePath): string | Buffer {
  return isAscii(path) ? path : Buffer.from(path, 'latin1');
}

/** A host string (argv, configuration: UTF-8) as path bytes. */
export function bytesOfText(text: string): BytePath {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}
