// Content against git's index: what git read from an inode that nobody has written since. The index does not tell when git read
// it, only that it did so after the inode's last change.

import { isUnchanged } from './block-witness.ts';
import { olderMatch } from './damage-class.ts';
import { isAfterWindow, type PathCase } from './path-case.ts';
import { agreementWithGit, gitEntryOf } from './read-stamp.ts';
import type { Accusation, Rule } from './rule.ts';

export const GIT_RULES: readonly Rule[] = [
  {
    name: 'differs-from-git-index',
    scanner: 'git',
    says: 'The content is not that which git read, and the inode has not changed since.',
    innocent: [
      'written, renamed or changed in its mode since, also with its old time set again: its ctime has moved',
      'a repository that was copied, unpacked or restored: other inodes, or other times of change',
      'text that git keeps with other line ends than the working tree (core.autocrlf, text, eol): that form is asked as well',
      'a filter, ident or working-tree-encoding: what attributes in the target ask for is left out, others are rare, so `likely`',
      'written again in the second in which git wrote its index (git does not trust it either): left out',
      'assume-unchanged, skip-worktree, intent-to-add, a conflict, a link or a submodule: left out',
      'a shared mapping that stored on, unstamped, after git had read it: `likely`',
      'a crash or a copy in use that has a write in place, and not yet the inode that it stamped: `likely`',
    ],
    isLossOfContent: true,
    accuse: differsFromIndex,
  },
];

const ID_DIGITS = 12;

function differsFromIndex(known: PathCase): Accusation | null {
  const entry = gitEntryOf(known);
  if (entry === null || agreementWithGit(known, entry) !== 'different') return null;
  const older = olderMatch(known, entry);
  const what = older === null ? 'is not what' : `is that of ${older.generation.id}, not what`;
  const [id = ''] = Object.values(entry.digests);
  const detail = `The content ${what} git read (blob ${id.slice(0, ID_DIGITS)}), and the inode has not changed since.`;
  const isOld = older !== null || isOfOlderDay(known);
  return { verdict: isOld ? 'stale' : 'garbage', confidence: 'likely', detail, expected: entry };
}

/** Its blocks are its own of an older day, or the inode itself is of one, and the content newer than it. */
function isOfOlderDay({ blocks, goneBack, inode, newest }: PathCase): boolean {
  const [witness] = blocks;
  if (witness !== undefined && (isUnchanged(witness) || witness.sameBlocks)) return true;
  if (goneBack.length > 0 && goneBack.every(({ isOwn }) => isOwn)) return true;
  return newest.inode === 'in-log' || inode.isAmongOldInodes;
}

/**
 * The references that vouch by what git read: of what was written after the window began, or by an index that was written
 * after its end. What was not written in it may be an older state as a whole, index and all.
 */
export function vouchersByGit(known: PathCase): string[] {
  const entry = gitEntryOf(known);
  if (entry?.readAs === undefined || agreementWithGit(known, entry) !== 'same') return [];
  const { window } = known.scan;
  const ctimeNs = known.seen?.stat?.ctimeNs ?? null;
  const isWrittenSince = window?.fromNs != null && ctimeNs !== null && ctimeNs >= window.fromNs;
  return isWrittenSince || isAfterWindow(entry.readAs.recordedAtNs, window) ? [entry.reference] : [];
}
