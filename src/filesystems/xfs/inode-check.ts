// The checks that the kernel makes of an inode before it hands it out: what fails them, a mount does not show.

import { DamageError } from '../../errors.ts';
import type { Inode } from './inode.ts';
import { EXTENT_BYTES, FORK_FORMATS, INODE_CHECKSUM_AT, INODE_MAGIC, LONGEST_LINK } from './layout.ts';
import { checksumOf, sameBytes } from './self-description.ts';
import type { Superblock } from './superblock.ts';

const V3 = 3;

/** Throws DamageError (EUCLEAN) for whatever makes the inode unusable. */
export function checkInode(inode: Inode, superblock: Superblock): void {
  checkIdentity(inode, superblock);
  if (!inode.inUse) throw wrong(inode, 'di_mode', 2, 0, 'an inode in use');
  if (inode.type === null) throw wrong(inode, 'di_mode', 2, inode.raw.mode, 'a file type');
  if (inode.sizeBytes > Number.MAX_SAFE_INTEGER) throw wrong(inode, 'di_size', 56, inode.sizeBytes, 'at most 2^53 - 1');
  checkForks(inode);
}

/** What holds for free inodes too: magic number, version, and in version 3 that it is this inode. Throws like checkInode. */
function checkIdentity(inode: Inode, { summed, metaUuid, inodeSize }: Superblock): void {
  const { raw } = inode;
  if (raw.magic !== INODE_MAGIC) throw wrong(inode, 'di_magic', 0, raw.magic, INODE_MAGIC);
  const versioned = summed ? raw.version === V3 : raw.version === 1 || raw.version === 2;
  if (!versioned) throw wrong(inode, 'di_version', 4, raw.version, summed ? V3 : '1 or 2');
  const { v3 } = inode;
  if (v3 === null) return;
  const computed = checksumOf(raw.bytes, INODE_CHECKSUM_AT, raw.at, raw.at + inodeSize);
  if (v3.checksum !== computed) {
    throw new DamageError(`xfs_dinode ${inode.number} checksum`, inode.location, v3.checksum, computed);
  }
  if (Number(v3.number) !== inode.number) throw wrong(inode, 'di_ino', 152, Number(v3.number), inode.number);
  if (!sameBytes(raw.bytes, raw.at + 160, metaUuid)) throw wrong(inode, 'di_uuid', 160, 'another one', 'this one');
}

function wrong(
  inode: Inode,
  field: string,
  offset: number,
  found: number | string,
  expected: string | number,
): DamageError {
  return new DamageError(`xfs_dinode ${inode.number} ${field}`, inode.location + offset, found, expected);
}

const CONTENT_FORMATS: Readonly<Record<string, readonly number[]>> = {
  file: [FORK_FORMATS.extents, FORK_FORMATS.btree],
  directory: [FORK_FORMATS.local, FORK_FORMATS.extents, FORK_FORMATS.btree],
  symlink: [FORK_FORMATS.local, FORK_FORMATS.extents, FORK_FORMATS.btree],
};

function checkForks(inode: Inode): void {
  const { raw, type, forkBytes, dataFork } = inode;
  if (raw.forkOffset * 8 >= forkBytes) throw wrong(inode, 'di_forkoff', 82, raw.forkOffset, `below ${forkBytes / 8}`);
  const formats = CONTENT_FORMATS[type ?? ''] ?? [FORK_FORMATS.device];
  if (!formats.includes(raw.format)) throw wrong(inode, 'di_format', 5, raw.format, formats.join(' or '));
  if (raw.format === FORK_FORMATS.extents && dataFork.extents * EXTENT_BYTES > dataFork.bytes.length)
    throw wrong(inode, 'di_nextents', 76, dataFork.extents, `what ${dataFork.bytes.length} bytes hold`);
  if (raw.format === FORK_FORMATS.local && inode.sizeBytes > dataFork.bytes.length)
    throw wrong(inode, 'di_size', 56, inode.sizeBytes, `at most ${dataFork.bytes.length}`);
  if (type === 'symlink' && (inode.sizeBytes === 0 || inode.sizeBytes > LONGEST_LINK))
    throw wrong(inode, 'di_size', 56, inode.sizeBytes, `1 to ${LONGEST_LINK}`);
  checkAttributeFork(inode);
}

function checkAttributeFork(inode: Inode): void {
  const fork = inode.attributeFork;
  if (fork === null) return;
  const known = fork.format >= FORK_FORMATS.local && fork.format <= FORK_FORMATS.btree;
  if (!known) throw wrong(inode, 'di_aformat', 83, fork.format, '1 to 3');
  if (fork.format === FORK_FORMATS.extents && fork.extents * EXTENT_BYTES > fork.bytes.length)
    throw wrong(inode, 'di_anextents', 80, fork.extents, `what ${fork.bytes.length} bytes hold`);
}
