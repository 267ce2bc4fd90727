// Blocks of files that no past state of the file has at that place: their owners are asked of the whole baseline at once.

import { words, ZERO_HASH } from '../judge/block-states.ts';
import type { PathGroup } from './path-stream.ts';
import type { ResultsByInode } from './results-by-inode.ts';

/** A bound on memory (about 100 bytes each): beyond it, blocks keep the state that the inode suggests. */
const HASHES_AT_MOST = 500_000;

export async function unknownBlocks(groups: AsyncIterable<PathGroup>, results: ResultsByInode): Promise<Set<bigint>> {
  const unknown = new Set<bigint>();
  for await (const { entry, expected } of groups) {
    const blocks = entry === null ? null : (results.resultOf(entry)?.content.blocks ?? null);
    if (blocks === null || unknown.size >= HASHES_AT_MOST) continue;
    const past = expected.flatMap(expectation => (expectation.blocks === null ? [] : [words(expectation.blocks)]));
    if (past.length > 0) addUnknown(unknown, words(blocks), past);
  }
  return unknown;
}

function addUnknown(unknown: Set<bigint>, blocks: BigUint64Array, past: readonly BigUint64Array[]): void {
  blocks.forEach((hash, index) => {
    if (hash !== ZERO_HASH && hash !== 0n && !past.some(state => state[index] === hash)) unknown.add(hash);
  });
}
