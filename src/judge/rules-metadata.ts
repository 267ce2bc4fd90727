// Inodes that went back while the content they lead to is right, and directories whose inode is behind their entries.

import {
  agreement,
  CLOCK_TICK_NS,
  isStampedByKernel,
  mayBeStampedBack,
  newestPast,
  type PathCase,
  sameInode,
} from './path-case.ts';
import type { Accusation, Rule } from './rule.ts';

export const METADATA_RULES: readonly Rule[] = [
  {
    name: 'inode-went-back',
    scanner: 'baseline',
    says: 'The content is right, and the inode is of an older day than in the newest generation.',
    innocent: [
      'a clock that was set back: `likely` unless the ctime is that of an older generation',
      'the whole file system restored from a snapshot: groups tell',
    ],
    accuse: inodeWentBack,
  },
  {
    name: 'metadata-under-unchanged-ctime',
    scanner: 'baseline',
    says: 'Mode, owner or time of modification differ while the ctime is the same.',
    innocent: ['none: every one of these changes stamps the ctime'],
    accuse: metadataUnderCtime,
  },
  {
    name: 'entry-younger-than-directory',
    scanner: 'tree',
    says: 'An entry was born after its directory last changed, and naming it would have changed the directory.',
    innocent: [
      'a clock that was set back',
      'the entry is the false one (a name of old that leads to a newer inode): so never more than `possible`',
      'a tick of the clock: more than one is asked',
      'a file system that was filled without a kernel (mke2fs -d): its times are copies, and say so',
      'a mounted file system: not counted',
    ],
    accuse: youngerChild,
  },
];

function inodeWentBack(known: PathCase): Accusation | null {
  const stat = known.seen?.stat ?? null;
  const past = newestPast(known);
  const then = past?.expectation?.stat ?? null;
  if (known.seen === null || stat === null || past?.expectation == null || then === null) return null;
  if (!sameInode(stat, then) || stat.ctimeNs >= then.ctimeNs || agreement(known.seen, past.expectation) === 'different')
    return null;
  const detail = `The inode is of an older day than in ${past.generation.id}: its ctime went back.`;
  const confidence = mayBeStampedBack(known, stat) ? 'likely' : 'proven';
  return { verdict: 'stale', confidence, metadataOnly: true, detail, expected: past.expectation };
}

function metadataUnderCtime(known: PathCase): Accusation | null {
  const stat = known.seen?.stat ?? null;
  const past = newestPast(known);
  const then = past?.expectation?.stat ?? null;
  if (stat === null || past?.expectation == null || then === null) return null;
  if (!sameInode(stat, then) || stat.ctimeNs !== then.ctimeNs) return null;
  const differing = (['mode', 'uid', 'gid', 'mtimeNs'] as const).filter(field => stat[field] !== then[field]);
  if (differing.length === 0) return null;
  const detail = `${differing.join(', ')} differ from ${past.generation.id} while the ctime is the same.`;
  return { verdict: 'stale', confidence: 'proven', metadataOnly: true, detail, expected: past.expectation };
}

function youngerChild(known: PathCase): Accusation | null {
  const child = known.inode.youngerChild;
  const stat = known.seen?.stat ?? null;
  if (child?.stat.crtimeNs == null || stat === null || child.stat.crtimeNs - stat.ctimeNs <= CLOCK_TICK_NS) return null;
  if (!isStampedByKernel(stat) || !isStampedByKernel(child.stat)) return null;
  const detail =
    'An entry in it was born after the directory last changed: the directory’s inode, or that name, is of an older day.';
  return { verdict: 'stale', confidence: 'possible', metadataOnly: true, detail };
}
