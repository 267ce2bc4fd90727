// A file system at work, the same for the same seed: files and directories made, changed, renamed and removed, some fsynced.

import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { pattern } from './populate.ts';

/** 0 <= next() < 1. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

export function fsync(path: string): void {
  const fd = openSync(path, 'r');
  fsyncSync(fd);
  closeSync(fd);
}

/**
 * @param fast leaves out symlinks, which end a run of fast commits, and removed directories: a mount that replays their fast
 * commits gives a new file with the same inode number the directory's blocks.
 */
export function randomWork(root: string, seed: number, steps: number, fast: boolean): void {
  const worker = new Worker(root, randomNumbers(seed));
  for (let step = 0; step < steps; step++) worker.step(fast);
  worker.finish();
}

class Worker {
  readonly #random: () => number;
  readonly #directories: string[];
  readonly #files: string[] = [];
  #counter = 0;

  constructor(root: string, random: () => number) {
    this.#directories = [root];
    this.#random = random;
  }

  step(fast: boolean): void {
    const choice = this.#random();
    if (choice < 0.3) this.#create();
    else if (choice < 0.45) this.#append();
    else if (choice < 0.55) this.#overwrite();
    else if (choice < 0.62) this.#truncate();
    else if (choice < 0.7) this.#rename();
    else if (choice < 0.75) this.#link();
    else if (choice < 0.83) this.#unlink();
    else if (choice < 0.87) this.#mkdir();
    else if (choice < 0.89 && !fast) this.#remove();
    else if (choice < 0.92) this.#punch();
    else if (choice < 0.94 && !fast) symlinkSync(this.#name().repeat(9), `${this.#directory()}/${this.#name()}`);
    else this.#fsyncOne();
  }

  /** So that something of the last changes is on the medium. */
  finish(): void {
    this.#create();
    const last = this.#files[this.#files.length - 1];
    if (last !== undefined) fsync(last);
  }

  #pick(list: readonly string[]): string | undefined {
    return list[Math.floor(this.#random() * list.length)];
  }

  #directory(): string {
    return this.#pick(this.#directories) ?? '';
  }

  #name(): string {
    return `${'name'.repeat(1 + Math.floor(this.#random() * 8))}-${this.#counter++}`;
  }

  #create(): void {
    const path = `${this.#directory()}/${this.#name()}`;
    writeFileSync(path, pattern(this.#counter, Math.floor(this.#random() ** 3 * 60_000)));
    this.#files.push(path);
  }

  #append(): void {
    const path = this.#pick(this.#files);
    if (path !== undefined) appendFileSync(path, pattern(this.#counter++, Math.floor(this.#random() * 20_000)));
  }

  #overwrite(): void {
    const path = this.#pick(this.#files);
    if (path === undefined) return;
    const fd = openSync(path, 'r+');
    writeSync(fd, pattern(this.#counter++, 3000), 0, 3000, Math.floor(this.#random() * 100_000));
    closeSync(fd);
  }

  #truncate(): void {
    const path = this.#pick(this.#files);
    if (path !== undefined) truncateSync(path, Math.floor(this.#random() * 30_000));
  }

  #rename(): void {
    const index = Math.floor(this.#random() * this.#files.length);
    const path = this.#files[index];
    if (path === undefined) return;
    const target = this.#random() < 0.3 ? (this.#pick(this.#files) ?? path) : `${this.#directory()}/${this.#name()}`;
    if (target === path) return;
    renameSync(path, target);
    this.#files.splice(index, 1);
    if (!this.#files.includes(target)) this.#files.push(target);
  }

  #link(): void {
    const path = this.#pick(this.#files);
    if (path === undefined) return;
    const target = `${this.#directory()}/${this.#name()}`;
    linkSync(path, target);
    this.#files.push(target);
  }

  #unlink(): void {
    const index = Math.floor(this.#random() * this.#files.length);
    const path = this.#files[index];
    if (path === undefined) return;
    unlinkSync(path);
    this.#files.splice(index, 1);
  }

  #mkdir(): void {
    const path = `${this.#directory()}/${this.#name()}`;
    mkdirSync(path);
    this.#directories.push(path);
  }

  #remove(): void {
    const index = 1 + Math.floor(this.#random() * (this.#directories.length - 1));
    const path = this.#directories[index];
    if (path === undefined) return;
    rmSync(path, { recursive: true });
    const gone = (other: string) => other === path || other.startsWith(`${path}/`);
    for (const list of [this.#directories, this.#files]) {
      for (let at = list.length - 1; at >= 0; at--) if (gone(list[at] ?? '')) list.splice(at, 1);
    }
  }

  #punch(): void {
    const path = this.#pick(this.#files);
    if (path === undefined) return;
    const offset = String(Math.floor(this.#random() * 20) * 1024);
    try {
      execFileSync('fallocate', [this.#random() < 0.5 ? '-p' : '-n', '-o', offset, '-l', '9000', path], {
        stdio: 'ignore',
      });
    } catch {
      // Not every format can.
    }
  }

  #fsyncOne(): void {
    const path = this.#pick(this.#files);
    if (path !== undefined && existsSync(path)) fsync(path);
  }
}
