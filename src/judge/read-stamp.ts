// What a program has on record of a file's content, with the state of the inode that it read it from (git's index).

import type { Expectation, ReadStamp, Stat } from '../model.ts';
import type { Agreement, PathCase } from './path-case.ts';

const SECOND_NS = 1_000_000_000n;
const SECONDS_NS = SECOND_NS << 32n;
const WORD = 2 ** 32;

/** Nobody has written the inode, as far as it tells, since its content was read. */
export function isInStateRead(stat: Stat, { inode, sizeBytes, mtimeNs, ctimeNs }: ReadStamp): boolean {
  return (
    stat.sizeBytes % WORD === sizeBytes &&
    Number(BigInt.asUintN(32, stat.inode)) === inode &&
    isSameTime(stat.ctimeNs, ctimeNs) &&
    isSameTime(stat.mtimeNs, mtimeNs)
  );
}

/** @param recorded its seconds are modulo 2^32. Times before 1970 count on from there. */
function isSameTime(timeNs: bigint, recorded: bigint): boolean {
  return ((timeNs % SECONDS_NS) + SECONDS_NS) % SECONDS_NS === recorded;
}

const FORMATS = ['git-sha1', 'git-sha256'] as const;
const LF_FORMS = { 'git-sha1': 'git-sha1-lf', 'git-sha256': 'git-sha256-lf' } as const;

/** Whether the content is what git read from the inode in this state; unknown of any other state, and of what was not read whole. */
export function agreementWithGit({ seen }: PathCase, { readAs, digests }: Expectation): Agreement {
  if (seen?.stat == null || readAs === undefined || !isInStateRead(seen.stat, readAs)) return 'unknown';
  const found = seen.content?.state === 'read' ? seen.content.digests : {};
  for (const format of FORMATS) {
    const [id, expected] = [found[format], digests[format]];
    if (id === undefined || expected === undefined) continue;
    return id === expected || found[LF_FORMS[format]] === expected ? 'same' : 'different';
  }
  return 'unknown';
}

/** What git has read of the path; null where its index does not have it. */
export function gitEntryOf({ expected }: PathCase): Expectation | null {
  return expected.find(({ readAs }) => readAs !== undefined) ?? null;
}
