// Makes ext images with mke2fs and lets the kernel mount them: the oracle of these tests. Needs root and loop devices.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function run(command: string, args: readonly string[], input?: string): string {
  return execFileSync(command, args, {
    encoding: 'latin1',
    stdio: ['pipe', 'pipe', 'pipe'],
    input,
    maxBuffer: 2 ** 28,
  });
}

/** Whether a command can be run and ends well. */
export function works(command: string, args: readonly string[]): boolean {
  try {
    run(command, args);
    return true;
  } catch {
    return false;
  }
}

/** Why the kernel cannot be asked here; null when it can. */
export function whyNoMount(): string | null {
  if (process.getuid?.() !== 0) return 'not root';
  if (!works('mke2fs', ['-V'])) return 'no mke2fs';
  if (!works('setfattr', ['--version'])) return 'no setfattr';
  if (!works('losetup', ['-f'])) return 'no loop device';
  return null;
}

/** A directory for images and mount points, and its removal. */
export function scratchDirectory(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'lw-ext4-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** @param options what mke2fs takes beside the image. Returns false when this mke2fs does not know them. */
export function makeImage(image: string, sizeBytes: number, options: readonly string[]): boolean {
  writeFileSync(image, '');
  truncateSync(image, sizeBytes);
  return works('mke2fs', ['-q', '-F', ...options, image]);
}

/** Calls back with the image mounted at `point`, and unmounts it whatever happens. Returns false when the kernel refuses. */
export function withMount(image: string, point: string, options: string, use: () => void): boolean {
  run('mkdir', ['-p', point]);
  if (!works('mount', ['-t', 'ext4', '-o', `loop,${options}`, image, point])) return false;
  try {
    use();
  } finally {
    run('umount', [point]);
  }
  return true;
}
