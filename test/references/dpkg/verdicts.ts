// What the expectations say of a mounted tree: compared with what dpkg and debsums say of it.

import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, type Stats } from 'node:fs';
import { errorCode } from '../../../src/errors.ts';
import { openHostFilesystem } from '../../../src/filesystems/host/host-filesystem.ts';
import type { Expectation } from '../../../src/model.ts';
import { bytesOfText } from '../../../src/path.ts';
import { findDpkgDatabase } from '../../../src/references/dpkg/database.ts';
import { openDpkgReference } from '../../../src/references/dpkg/dpkg-reference.ts';
import type { Reference } from '../../../src/references/reference.ts';

/** Throws when there is no database: then there is nothing to compare. */
export function openReference(root: string, databaseRoot: string = root): Reference {
  const target = openHostFilesystem(bytesOfText(root));
  const elsewhere = databaseRoot === root ? null : openHostFilesystem(bytesOfText(databaseRoot));
  const reference = openDpkgReference(target, findDpkgDatabase(elsewhere ?? target));
  if (reference === null) throw new Error(`no database in ${databaseRoot}`);
  return reference;
}

export function expectationsByPath(reference: Reference): Map<string, Expectation> {
  return new Map([...reference.expectations()].map(expectation => [expectation.path, expectation]));
}

/** "missing PATH" and "changed PATH", sorted: the same words as DebianSystem.verify. */
export function verdictsOf(root: string, expectations: Iterable<Expectation>): string[] {
  return [...expectations].flatMap(expectation => verdictOf(root, expectation)).sort();
}

function verdictOf(root: string, { path, digests }: Expectation): string[] {
  const hostPath = Buffer.from(bytesOfText(root) + path, 'latin1');
  const stats = statsOf(hostPath);
  if (stats === null) return [`missing ${path}`];
  if (digests.md5 === undefined) return [];
  const intact = stats.isFile() && md5Of(hostPath) === digests.md5;
  return intact ? [] : [`changed ${path}`];
}

function statsOf(path: Buffer): Stats | null {
  try {
    return lstatSync(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

function md5Of(path: Buffer): string {
  return createHash('md5').update(readFileSync(path)).digest('hex');
}
