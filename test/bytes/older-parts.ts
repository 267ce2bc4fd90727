// Puts one old part back into a file that was written to since: what a storage that lost that one write shows.

import { closeSync, copyFileSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { openImage } from '../../src/bytes/open-image.ts';
import type { Tell } from '../../src/bytes/tell.ts';

/** Offsets of all parts of `partBytes` in which two states differ; a shorter state ends in zeros. */
export function changedParts(before: Buffer, after: Buffer, partBytes: number): number[] {
  const parts = Array.from({ length: Math.ceil(after.length / partBytes) }, (_, index) => index * partBytes);
  return parts.filter(at => Buffer.compare(partOf(before, at, partBytes), partOf(after, at, partBytes)) !== 0);
}

function partOf(state: Buffer, at: number, length: number): Buffer {
  const part = Buffer.alloc(length);
  state.subarray(at, at + length).copy(part);
  return part;
}

/** A copy of `image` whose part at `at` is that of `before`. */
export function withOlderPart(image: string, before: Buffer, at: number, length: number): string {
  const older = `${image}.older`;
  copyFileSync(image, older);
  const part = partOf(before, at, length).subarray(0, readFileSync(image).length - at);
  const fd = openSync(older, 'r+');
  writeSync(fd, part, 0, part.length, at);
  closeSync(fd);
  return older;
}

/** What the image's container gives away; the comparison itself must have been possible. */
export function tellsOf(image: string): readonly Tell[] {
  const opened = openImage(image);
  const { tells, trouble } = opened.survey();
  opened.bytes.close?.();
  if (trouble !== null) throw new Error(trouble);
  return tells;
}

/** Rule and confidence of each. */
export function rulesOf(image: string): string[] {
  return tellsOf(image).map(({ rule, confidence }) => `${rule} ${confidence}`);
}

/** A file with these bytes. */
export function fileOf(path: string, bytes: Uint8Array): string {
  writeFileSync(path, bytes);
  return path;
}
