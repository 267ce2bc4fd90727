// The walk bench: a million entries with all their metadata, listed by our pipeline into a store on disk, against find.
// `node dist/bench/walk/run.js [--rounds N] [--tree DIR]`

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { print, resultTable, surroundings } from '../table.ts';
import { type Contestant, compete } from '../timed.ts';
import { MILLION_TREE_ENTRIES, makeMillionTree } from './million-tree.ts';

/** What find prints of each entry: path, size, mode, owner, group, mtime, ctime, inode, links. Ours keeps crtime and device too. */
const FIND_FORMAT = '%p %s %m %U %G %T@ %C@ %i %n\\n';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    tree: { type: 'string', default: join(tmpdir(), 'lw-million') },
  },
});

makeMillionTree(values.tree);
const work = mkdtempSync(join(tmpdir(), 'lostwrite-walk-'));
const list = fileURLToPath(new URL('./list.js', import.meta.url));
const contestants: Contestant[] = [
  { name: 'lostwrite, 2 workers', command: [process.execPath, list, values.tree, join(work, 'store.db')] },
  { name: `find -printf '${FIND_FORMAT}'`, command: ['find', values.tree, '-printf', FIND_FORMAT] },
];
try {
  const timings = compete(contestants, Number(values.rounds));
  print(`## Walk: ${MILLION_TREE_ENTRIES} entries, warm, median of ${values.rounds} turns\n`);
  print(`${surroundings()}\n`);
  print(resultTable(contestants, timings));
} finally {
  rmSync(work, { recursive: true });
}
