// What the directory above says of its names: whether it changed since the newest generation, whether another one stands
// in its place. Shared by the rules on names that are gone and on names that are back.

import { mayBeStampedBack, newestPast, type PathCase, sameInode } from './path-case.ts';

/** Where repairs put inodes that no directory names. */
export const LOST_AND_FOUND = '/lost+found/';

/** Evidence that the name above leads to another inode than the newest generation's directory. */
const LEADS_ELSEWHERE = new Set([
  'another-inode-of-old',
  'name-of-another-inode',
  'name-of-an-old-number',
  'inode-of-an-earlier-birth',
  'entry-of-another-type',
  'second-name-of-a-directory',
]);

/** What stands in the place of the directory above is another inode, left from before the newest generation. */
export function isDirectoryOfOld(known: PathCase): boolean {
  const { above } = known;
  if (above === null || above.confidence === 'possible') return false;
  return above.evidence.some(evidence => LEADS_ELSEWHERE.has(evidence.rule));
}

/** The directory above is the inode that it was in the newest generation, and its ctime has not moved on. */
export function isDirectoryUnchanged(known: PathCase): boolean {
  const directory = known.parent?.seen?.stat ?? null;
  if (known.parent === null || directory === null) return false;
  const formerly = newestPast(known.parent)?.expectation?.stat ?? null;
  return formerly !== null && sameInode(directory, formerly) && directory.ctimeNs <= formerly.ctimeNs;
}

/** How sure it is that an unchanged directory had no change: a clock that was set back stamps as well. */
export function sureOfDirectory({ parent }: PathCase): 'proven' | 'likely' {
  const directory = parent?.seen?.stat ?? null;
  return parent !== null && directory !== null && mayBeStampedBack(parent, directory) ? 'likely' : 'proven';
}
