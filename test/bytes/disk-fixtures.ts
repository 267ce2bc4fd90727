// Small disks with seeded content, and the tools that make images of them.

import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whether `tool` can be run; says so when it cannot, since tests are then skipped. */
export function hasTool(tool: string, versionFlag = '--version'): boolean {
  if (spawnSync(tool, [versionFlag]).error === undefined) return true;
  process.stderr.write(`skipped: ${tool} is not installed\n`);
  return false;
}

/** A folder for one test file; `remove` it at the end. */
export function scratchFolder(): { path: (...parts: string[]) => string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'lostwrite-images-'));
  return { path: (...parts) => join(folder, ...parts), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Runs a tool and returns what it printed. Throws with its messages when it fails. */
export function run(tool: string, ...args: readonly string[]): string {
  return execFileSync(tool, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 2 ** 26 });
}

/** Bytes that look random, the same in every run. */
export function noise(seed: string, length: number): Buffer {
  const pieces: Buffer[] = [];
  for (let made = 0; made < length; made += 32) pieces.push(createHash('sha256').update(`${seed} ${made}`).digest());
  return Buffer.concat(pieces).subarray(0, length);
}

/** A disk of zeros, noise, text and odd borders between them. */
export function diskContent(seed: string, length: number): Buffer {
  const disk = Buffer.alloc(length);
  const text = Buffer.from(`inode extent superblock of ${seed}\n`);
  const part = Math.floor(length / 16);
  for (const [index, kind] of [...'nz0tn00zt00n0tzn'].entries()) {
    const start = index * part + (index % 3) * 100;
    const end = Math.min(length, (index + 1) * part);
    if (kind === 'n') noise(`${seed} ${index}`, Math.max(0, end - start)).copy(disk, start);
    if (kind === 't') disk.fill(text, start, end);
  }
  return disk;
}

/** The disk inside an image as QEMU reads it. */
export function flatten(image: string, scratch: string, ...options: readonly string[]): Buffer {
  run('qemu-img', 'convert', '-O', 'raw', ...options, image, scratch);
  const bytes = readFileSync(scratch);
  rmSync(scratch);
  return bytes;
}
