// How a path of any length is handed to the kernel: directly while it fits PATH_MAX, else in strides, each through an
// O_PATH descriptor of a directory on the way (/proc/self/fd/N/rest). Never follows a symlink on the way down.

import { closeSync, constants, openSync } from 'node:fs';
import type { BytePath } from '../../model.ts';
import { childPath, hostPath, isAscii } from '../../path.ts';

/** Linux PATH_MAX is 4096 with the final NUL. */
const LONGEST_PATH_BYTES = 4095;
/** Linux NAME_MAX. */
const LONGEST_NAME_BYTES = 255;
const STRIDE_BYTES = 3800;
/** Not in node's constants: a descriptor that only names a place; needs search permission, not read. */
const O_PATH = 0o10000000;

/**
 * Calls `use` with a path that node:fs takes and that leads to the same place as `path`. `root` is followed if it is a
 * symlink (the user named it), nothing below it is. Throws what `use` throws, and the system's errors of the way there.
 */
export function reach<T>(root: BytePath, path: BytePath, use: (path: string | Buffer) => T): T {
  const whole = joinRoot(root, path);
  if (whole.length <= LONGEST_PATH_BYTES) return use(hostPath(whole));
  return stride(whole, use);
}

/** Calls `use` for names below one directory, as `reach` does for their paths: what they share is worked out once. */
export class DirectoryReach {
  readonly #root: BytePath;
  readonly #directory: BytePath;
  /** The directory with a slash, as the kernel takes it; null where names need `reach` for it. */
  readonly #prefix: string | null;

  constructor(root: BytePath, directory: BytePath) {
    this.#root = root;
    this.#directory = directory;
    const prefix = childPath(joinRoot(root, directory), '');
    this.#prefix = isAscii(prefix) && prefix.length + LONGEST_NAME_BYTES <= LONGEST_PATH_BYTES ? prefix : null;
  }

  child<T>(name: BytePath, use: (path: string | Buffer) => T): T {
    if (this.#prefix !== null && isAscii(name)) return use(this.#prefix + name);
    return reach(this.#root, childPath(this.#directory, name), use);
  }
}

function stride<T>(path: BytePath, use: (path: string | Buffer) => T): T {
  const cut = path.lastIndexOf('/', STRIDE_BYTES);
  const fd = openSync(hostPath(path.slice(0, cut)), O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const rest = `/proc/self/fd/${fd}${path.slice(cut)}`;
    return rest.length <= LONGEST_PATH_BYTES ? use(hostPath(rest)) : stride(rest, use);
  } finally {
    closeSync(fd);
  }
}

/** The host path of a path within the tree. */
export function joinRoot(root: BytePath, path: BytePath): BytePath {
  if (path === '/') return root;
  return root === '/' ? path : root + path;
}
