// The files that belong to one image: itself, and those that it names (backing files, extents, data files).
// A name in an image is the guest's or an attacker's word: it leads nowhere outside the folders that were allowed.

import { realpathSync } from 'node:fs';
import { dirname, resolve, sep } from 'node:path';
import { DamageError, errorCode, UnsupportedError, UsageError, wordsOfCode } from '../errors.ts';
import { type FileBytes, openFileBytes } from './file-bytes.ts';

export class ImageFiles {
  /** Every file that is part of the image, the image first. Host paths. */
  readonly paths: string[] = [];
  readonly #container: string;
  readonly #opened: FileBytes[];
  #roots: readonly string[] = [];

  /** @param container the format's name, for messages */
  constructor(container: string, first: FileBytes) {
    this.#container = container;
    this.#opened = [first];
  }

  /** Files may be opened in the image's own folder (of its name and of its file) and in these. */
  allow(image: string, folders: readonly string[]): void {
    const all = [dirname(image), dirname(realpathSync(image)), ...folders];
    this.#roots = all.map(folder => realpathSync(folder));
  }

  /**
   * Opens what `image` calls `name`, relative to its folder. `what` is its role, for messages. Throws UsageError when it lies
   * elsewhere or cannot be had, UnsupportedError for anything but a plain path, DamageError when it was opened before.
   */
  open(image: string, name: string, what: string): { path: string; file: FileBytes } {
    const path = this.#pathOf(image, name, what);
    const real = realOf(path, image, what);
    if (!this.#roots.some(root => isWithin(real, root))) {
      const hint = `allow it with --allow-backing ${dirname(path)}`;
      throw new UsageError(`${image}: the ${what} ${path} lies outside the image's folder: ${hint}`);
    }
    const file = openFileBytes(real);
    const { device, inode } = file.identity;
    const again = this.#opened.some(({ identity }) => identity.device === device && identity.inode === inode);
    this.#opened.push(file);
    if (!again) return { path, file };
    throw new DamageError(`${image}: ${this.#container} ${what}`, 0, name, 'a file that is not in the chain already');
  }

  close(): void {
    for (const file of this.#opened.splice(0)) file.close();
  }

  /** The host path of a name in an image: relative to the image's folder. */
  #pathOf(image: string, name: string, what: string): string {
    const protocol = /^([^:/]*):/.exec(name)?.[1];
    if (protocol !== undefined && protocol !== 'file') {
      throw new UnsupportedError(`${image}: the ${what} is given as "${protocol}:", only plain paths are read`);
    }
    const plain = protocol === 'file' ? name.slice('file:'.length) : name;
    if (!plain.includes('\0')) return resolve(dirname(image), plain);
    throw new DamageError(`${image}: ${this.#container} ${what}`, 0, JSON.stringify(name), 'a path');
  }
}

function isWithin(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function realOf(path: string, image: string, what: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    const code = errorCode(error);
    throw code === null ? error : new UsageError(`${image}: the ${what} ${path} cannot be had: ${wordsOfCode(code)}`);
  }
}
