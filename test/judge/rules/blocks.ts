// Content against a block map of an older day.

import { expect } from 'vitest';
import { memoryBytes } from '../../../src/bytes/memory-bytes.ts';
import type { BlockWitness } from '../../../src/judge/block-witness.ts';
import type { Confidence, Expectation, OwnedRun, Verdict } from '../../../src/model.ts';
import { BlockComparison } from '../../../src/run/compare-blocks.ts';
import { handMadeMap, run } from '../../digest/hand-made-map.ts';
import { blockWitness, formerlyOf } from '../block-witness-of.ts';
import { findingOf } from '../finding-of.ts';
import {
  accusation,
  type CaseParts,
  day,
  directory,
  file,
  LATE_WINDOW,
  parentCase,
  pathCase,
  ranges,
} from '../path-case-of.ts';
import { raisedAmongLosses } from './among-losses.ts';
import type { RuleTests } from './rule-tests.ts';

const NEVER = 'never-landed';
const AGAIN = 'never-landed-or-made-again';
const ZEROS = 'never-landed-zeros';
const BELONG = 'zeros-where-none-belong';
const NOTHING = 'nothing-but-zeros';
const END = 'end-not-written';
const GROWN = 'grown-by-zeros';
const IN_PLACE = 'written-yet-unchanged-in-place';
const REBORN = 'reborn-under-its-name';
const RETURNED = 'reborn-where-numbers-return';

/** Written on day 22, long after the map's day; `sizeBytes` unless its blocks are full. */
function now(witness: BlockWitness, sizeBytes?: number, parts: CaseParts = {}) {
  const last = witness.spans.at(-1);
  const full = last === undefined ? 0 : last.offset + last.length;
  const is = file(22, '', { sizeBytes: sizeBytes ?? full, stat: { generation: 1 } });
  return pathCase({ is, blocks: [witness], window: LATE_WINDOW, ...parts });
}
const says = (rule: string, witness: BlockWitness, sizeBytes?: number) => accusation(rule, now(witness, sizeBytes));

/** Names of files that hold no zeros, and of others. */
const OF_TEXT = ['/d/code.py', '/etc/app.conf', '/srv/page.html', '/srv/repo/.git/objects/3d/ba7ce7', '/d/notes.txt'];
const OF_ANYTHING = ['/d/f', '/d/table.dat', '/d/app.log', '/srv/repo/.git/index'];

interface Disk {
  readonly words: string;
  readonly runs: readonly OwnedRun[];
}

interface Parts {
  /** Paths of inodes of that day, of one block each. */
  readonly names?: Readonly<Record<number, string>>;
  readonly sizeBytes?: number;
  /** How many bytes of each block are not zeros. */
  readonly used?: number;
  /** Whether /d/f may have blocks in common with others. */
  readonly sharesBlocks?: boolean;
}

/** What two hand-made disks say of inode 12, generation 1, which now is /d/f. */
function compared(
  then: Disk,
  is: Disk,
  { names = {}, sizeBytes = 4 * 4096, used = 4096, sharesBlocks = false }: Parts = {},
) {
  const maps = [handMadeMap(is.words, is.runs), handMadeMap(then.words, then.runs)] as const;
  const bytes = new Uint8Array(8 * 4096).map((_, at) => (at % 4096 < used ? 1 : 0));
  const volume = {
    isAllocated: () => true,
    mayShareBlocks: () => sharesBlocks,
    bytes: memoryBytes('volume', bytes),
    offset: 0,
  };
  const comparison = new BlockComparison('g1', ...maps, volume);
  for (const [inode, path] of Object.entries(names)) comparison.collect(formerly(BigInt(inode), path));
  const { stat } = file(22, '', { sizeBytes, stat: { generation: 1 } });
  const witness = comparison.witness('/d/f', stat);
  if (witness === null) throw new Error('a file of an image has a witness');
  return now(witness, stat.sizeBytes);
}

function formerly(inode: bigint, path: string): Expectation {
  const { stat } = file(16, 'a', { stat: { inode, generation: 1 } });
  const nothing = { digests: {}, blocks: null, linkTarget: null, owner: null, installedAtNs: null, remedy: null };
  return { reference: 'g1', path, type: 'file', sizeBytes: stat.sizeBytes, stat, editable: false, ...nothing };
}

/** What groups make of it on a volume with a loss fewer than it takes, and with so many. */
function amongLosses(rule: string, verdict: Verdict): [Confidence | undefined, Confidence | undefined] {
  const finding = findingOf(rule, { verdict, confidence: 'possible', scanner: 'blocks' });
  return [raisedAmongLosses(finding, 2), raisedAmongLosses(finding, 3)];
}

/** The name had inode 12, generation 1, in g1. */
function reborn(parts: CaseParts = {}, isNow = { inode: 12n, generation: 2, crtimeNs: day(22) }) {
  const was = [file(16, 'a', { stat: { generation: 1 } })];
  const is = file(22, 'x', { stat: isNow });
  return pathCase({ was, is, blocks: [blockWitness('landed', { formerly: null })], window: LATE_WINDOW, ...parts });
}

export const BLOCK_TESTS: readonly RuleTests[] = [
  {
    rule: NEVER,
    accuses: {
      'a block whose place holds what it held, with its bytes': () => {
        const known = now(blockWitness('landed never-landed landed'));
        expect(accusation(NEVER, known)).toBe('garbage likely');
        expect(ranges(NEVER, known)).toEqual(['garbage 4096+4096']);
      },
      'no byte beyond the file’s end': () =>
        expect(ranges(NEVER, now(blockWitness('landed never-landed'), 5000))).toEqual(['garbage 4096+904']),
      'blocks that were another file’s are foreign, and zeros beside them lost with them': () => {
        const disk = { words: 'meta o o zero x', runs: [run(20, 0, 1, 2)] };
        const known = compared(
          disk,
          { words: 'meta o o zero y', runs: [run(12, 0, 1, 4)] },
          { names: { 20: '/d/other' } },
        );
        expect(accusation(NEVER, known)).toBe('garbage likely');
        expect(ranges(NEVER, known)).toEqual(['foreign 0+8192', 'zero 8192+4096']);
      },
      'by the newest map that has something to say': () => {
        const older = blockWitness('landed never-landed', { reference: 'g0' });
        const known = now(older, 8192, { blocks: [blockWitness('landed landed'), older] });
        expect(accusation(NEVER, known)).toBe('garbage likely');
      },
    },
    innocent: {
      'a rename or an exchange of names: blocks are owned by inode and generation': () => {
        const disk = { words: 'meta a b c', runs: [run(12, 0, 1, 3)] };
        expect(accusation(NEVER, compared(disk, disk, { names: { 12: '/d/another-name' } }))).toBeNull();
      },
      'the same bytes written again under the same or a twin name (`.dpkg-new`): exempt': () => {
        const was = { words: 'meta a b c', runs: [run(20, 0, 1, 3)] };
        const is = { words: 'meta a b c', runs: [run(12, 0, 1, 3)] };
        for (const path of ['/d/f', '/d/f.dpkg-new', '/d/.f.tmp'])
          expect(accusation(NEVER, compared(was, is, { names: { 20: path } }))).toBeNull();
        expect(accusation(NEVER, compared(was, is, { names: { 20: '/d/g' } }))).toBe('garbage likely');
      },
      'bytes that the older map has at several places: exempt': () => {
        const was = { words: 'meta a b - a b', runs: [run(20, 0, 1, 2), run(21, 0, 4, 2)] };
        const is = { words: 'meta a b - a b', runs: [run(12, 0, 1, 2), run(21, 0, 4, 2)] };
        expect(accusation(NEVER, compared(was, is, { names: { 20: '/d/g', 21: '/d/h' } }))).toBeNull();
      },
      'ranges of it that were collapsed or inserted: exempt': () => {
        const was = { words: 'meta a b c d', runs: [run(12, 0, 1, 4)] };
        const collapsed = { words: was.words, runs: [run(12, 0, 1, 1), run(12, 1, 3, 2)] };
        const inserted = { words: 'meta a b c d new', runs: [run(12, 0, 1, 1), run(12, 1, 5, 1), run(12, 2, 2, 2)] };
        expect(accusation(NEVER, compared(was, collapsed))).toBeNull();
        expect(accusation(NEVER, compared(was, inserted))).toBeNull();
      },
      'blocks in common with another file (`cp --reflink`) that had them then: exempt where the inode says that it shared any':
        () => {
          const was = { words: 'meta a b old', runs: [run(20, 0, 1, 2)] };
          const shared = { words: was.words, runs: [run(12, 0, 1, 2)] };
          const ownToo = { words: was.words, runs: [run(12, 0, 1, 2), run(12, 2, 3, 1)] };
          expect(accusation(NEVER, compared(was, shared, { sharesBlocks: true }))).toBeNull();
          expect(accusation(NEVER, compared(was, ownToo, { sharesBlocks: true, sizeBytes: 12_000 }))).toBe(
            'garbage likely',
          );
          expect(accusation(NEVER, compared(was, shared))).toBe('garbage likely');
        },
      'the same bytes written again as another file of the same size, or as one deleted before that day: exempt where old bytes end with the file':
        () => {
          const words = 'meta a b';
          const is = { words, runs: [run(12, 0, 1, 2)] };
          const ofAnother = { words, runs: [run(20, 0, 1, 1), run(21, 0, 2, 1)] };
          const names = { 20: '/d/g', 21: '/d/h' };
          expect(accusation(NEVER, compared(ofAnother, is, { names, sizeBytes: 5000 }))).toBe('garbage likely');
          const sameBlock = { words, runs: [run(12, 0, 1, 1)] };
          expect(accusation(NEVER, compared(ofAnother, sameBlock, { names, sizeBytes: 4096 }))).toBeNull();
          const free = { words, runs: [] };
          expect(accusation(NEVER, compared(free, is, { sizeBytes: 5000, used: 904 }))).toBeNull();
          expect(accusation(NEVER, compared(free, is, { sizeBytes: 5000, used: 905 }))).toBe('garbage likely');
          expect(accusation(NEVER, compared(free, is, { sizeBytes: 5000, used: 896 }))).toBe('garbage likely');
        },
    },
  },
  {
    rule: AGAIN,
    accuses: {
      'whole extents that are as they were, and others that landed': () => {
        const spans = [...blockWitness('landed').spans, ...apart(blockWitness('hole never-landed never-landed'))];
        expect(says(AGAIN, { ...blockWitness('landed'), spans })).toBe('garbage possible');
        expect(says(NEVER, { ...blockWitness('landed'), spans })).toBeNull();
      },
      'a file of full blocks, all of which were free and are as they were': () => {
        const known = now(blockWitness('never-landed never-landed-zeros never-landed'));
        expect(accusation(AGAIN, known)).toBe('garbage possible');
        expect(ranges(AGAIN, known)).toEqual(['garbage 0+4096', 'zero 4096+4096', 'garbage 8192+4096']);
        expect(accusation(NEVER, known)).toBeNull();
      },
    },
    innocent: {
      'deleted before that day, and made again into its old blocks (a package, a branch, a build): `possible` alone':
        () => {
          expect(says(AGAIN, blockWitness('never-landed'))).toBe('garbage possible');
          expect(says(AGAIN, blockWitness('never-landed landed'))).toBeNull();
          expect(says(AGAIN, blockWitness('never-landed never-landed'), 5000)).toBeNull();
          expect(amongLosses(AGAIN, 'garbage')).toEqual(['possible', 'likely']);
        },
    },
  },
  {
    rule: ZEROS,
    accuses: {
      'a block of zeros beside one with content': () => {
        const known = now(blockWitness('landed never-landed-zeros never-landed-zeros landed'));
        expect(accusation(ZEROS, known)).toBe('garbage possible');
        expect(ranges(ZEROS, known)).toEqual(['zero 4096+8192']);
      },
    },
    innocent: {
      'zeros that a program really wrote: `possible` alone': () => {
        expect(says(ZEROS, blockWitness('landed never-landed-zeros'))).toBe('garbage possible');
        expect(says(ZEROS, blockWitness('landed hole never-landed-zeros hole landed'))).toBeNull();
        expect(says(ZEROS, blockWitness('never-landed-zeros never-landed-zeros'))).toBeNull();
      },
      'preallocation and holes: exempt': () => {
        const then = { words: 'meta a zero zero', runs: [run(12, 0, 1, 1)] };
        const preallocated = [run(12, 0, 1, 1), run(12, 1, 2, 2, { unwritten: true })];
        expect(accusation(ZEROS, compared(then, { words: 'meta b zero zero', runs: preallocated }))).toBeNull();
        const written = [run(12, 0, 1, 1), run(12, 1, 2, 2)];
        expect(accusation(ZEROS, compared(then, { words: 'meta b zero zero', runs: written }))).toBe(
          'garbage possible',
        );
      },
    },
  },
  {
    rule: NOTHING,
    accuses: {
      'a file of nothing but zeros, at places that were zeros': () => {
        const known = now(blockWitness('never-landed-zeros never-landed-zeros'), 5000);
        expect(accusation(NOTHING, known)).toBe('garbage possible');
        expect(ranges(NOTHING, known)).toEqual(['zero 0+5000']);
      },
    },
    innocent: {
      'a file of zeros: `possible` alone': () => {
        expect(says(NOTHING, blockWitness('never-landed-zeros'))).toBe('garbage possible');
        expect(says(NOTHING, blockWitness('never-landed-zeros landed'))).toBeNull();
        expect(amongLosses(NOTHING, 'garbage')).toEqual(['possible', 'possible']);
      },
      'preallocation and holes: exempt': () => {
        const then = { words: 'meta zero zero zero', runs: [] };
        const preallocated = [run(12, 0, 1, 3, { unwritten: true })];
        expect(accusation(NOTHING, compared(then, { words: then.words, runs: preallocated }))).toBeNull();
        expect(accusation(NOTHING, compared(then, { words: then.words, runs: [] }))).toBeNull();
      },
    },
  },
  {
    rule: BELONG,
    accuses: {
      'zeros in text, among others or alone, and no other rule does': () => {
        for (const path of OF_TEXT) {
          for (const words of ['landed never-landed-zeros', 'never-landed-zeros']) {
            const known = now(blockWitness(words), undefined, { path });
            expect([ZEROS, NOTHING, BELONG].map(rule => accusation(rule, known))).toEqual([
              null,
              null,
              'garbage possible',
            ]);
          }
        }
        for (const path of OF_ANYTHING) {
          const known = now(blockWitness('landed never-landed-zeros'), undefined, { path });
          expect([ZEROS, BELONG].map(rule => accusation(rule, known))).toEqual(['garbage possible', null]);
        }
      },
      'an end that has grown by zeros alone': () => {
        const grown = (path: string) => now(blockWitness('unchanged unchanged', formerlyOf(5000)), 6000, { path });
        for (const path of OF_TEXT)
          expect([GROWN, BELONG].map(rule => accusation(rule, grown(path)))).toEqual([null, 'garbage possible']);
        for (const path of OF_ANYTHING)
          expect([GROWN, BELONG].map(rule => accusation(rule, grown(path)))).toEqual(['garbage possible', null]);
      },
    },
    innocent: {
      'a name that says something else than the file holds: `possible` alone': () =>
        expect(amongLosses(BELONG, 'garbage')).toEqual(['possible', 'likely']),
      'preallocation and holes: exempt': () => {
        const then = { words: 'meta a zero zero', runs: [run(12, 0, 1, 1)] };
        const preallocated = [run(12, 0, 1, 1), run(12, 1, 2, 2, { unwritten: true })];
        const known = compared(then, { words: 'meta b zero zero', runs: preallocated });
        expect(accusation(BELONG, { ...known, path: '/d/notes.txt' })).toBeNull();
      },
    },
  },
  {
    rule: END,
    accuses: {
      'a file that has grown beyond its last block, which is as it was, and the next one was written': () => {
        const known = now(blockWitness('unchanged unchanged landed', formerlyOf(5000)), 9000);
        expect(accusation(END, known)).toBe('garbage possible');
        expect(ranges(END, known)).toEqual(['stale 4096+4096']);
      },
    },
    innocent: {
      'grown by a hole or preallocated blocks (`truncate`, `fallocate`): exempt': () => {
        expect(says(END, blockWitness('unchanged unchanged', formerlyOf(5000)), 9000)).toBeNull();
        expect(says(END, blockWitness('unchanged unchanged never-landed-zeros', formerlyOf(5000)), 9000)).toBeNull();
        expect(says(END, blockWitness('unchanged unchanged landed', formerlyOf(8192)), 9000)).toBeNull();
      },
      'written behind a gap: `possible` alone': () => {
        expect(says(END, blockWitness('unchanged unchanged landed', formerlyOf(5000)), 12_000)).toBe(
          'garbage possible',
        );
        expect(says(END, blockWitness('unchanged changed landed', formerlyOf(5000)), 12_000)).toBeNull();
        expect(amongLosses(END, 'garbage')).toEqual(['possible', 'likely']);
      },
    },
  },
  {
    rule: GROWN,
    accuses: {
      'a file that has grown within a block that is as it was': () => {
        const known = now(blockWitness('changed unchanged', formerlyOf(5000)), 6000);
        expect(accusation(GROWN, known)).toBe('garbage possible');
        expect(ranges(GROWN, known)).toEqual(['stale 4096+1904']);
      },
    },
    innocent: {
      'cut to a greater size (`truncate`): `possible`': () => {
        expect(says(GROWN, blockWitness('unchanged unchanged', formerlyOf(5000)), 6000)).toBe('garbage possible');
        expect(says(GROWN, blockWitness('unchanged changed', formerlyOf(5000)), 6000)).toBeNull();
        expect(says(GROWN, blockWitness('unchanged unchanged', formerlyOf(5000)), 5000)).toBeNull();
        expect(says(GROWN, blockWitness('unchanged unchanged landed', formerlyOf(5000)), 9000)).toBeNull();
        expect(amongLosses(GROWN, 'garbage')).toEqual(['possible', 'possible']);
      },
    },
  },
  {
    rule: IN_PLACE,
    accuses: {
      'a file that was written and is as it was': () =>
        expect(says(IN_PLACE, blockWitness('unchanged unchanged'))).toBe('stale possible'),
    },
    innocent: {
      touch: () => {
        const witness = blockWitness('unchanged unchanged');
        const set = file(22, '', { sizeBytes: 8192, stat: { generation: 1, mtimeNs: day(17) } });
        expect(accusation(IN_PLACE, now(witness, 8192, { is: set }))).toBeNull();
        for (const path of ['/d/session.lock', '/run/app.pid', '/d/.stamp', '/d/daily-heartbeat'])
          expect(accusation(IN_PLACE, now(witness, 8192, { path }))).toBeNull();
        expect(amongLosses(IN_PLACE, 'stale')).toEqual(['possible', 'likely']);
      },
      'the same bytes written again in place: `possible` alone': () => {
        expect(says(IN_PLACE, blockWitness('unchanged unchanged'))).toBe('stale possible');
        expect(says(IN_PLACE, blockWitness('unchanged changed'))).toBeNull();
        expect(says(IN_PLACE, blockWitness('unchanged unchanged', { sameBlocks: false }))).toBeNull();
        expect(says(IN_PLACE, blockWitness('unchanged unchanged', { formerly: null }))).toBeNull();
        const unwritten = { formerly: { sizeBytes: 8192, mtimeNs: day(22), ctimeNs: day(22) } };
        expect(says(IN_PLACE, blockWitness('unchanged unchanged', unwritten))).toBeNull();
      },
    },
  },
  {
    rule: REBORN,
    accuses: {
      'a name whose inode’s number has become another file’s': () =>
        expect(accusation(REBORN, reborn())).toBe('garbage possible'),
    },
    innocent: {
      'deleted and made again with the same number: `possible` alone': () => {
        const same = { inode: 12n, generation: 1, crtimeNs: day(1) };
        const another = { inode: 13n, generation: 2, crtimeNs: day(22) };
        expect([reborn(), reborn({}, same), reborn({}, another)].map(known => accusation(REBORN, known))).toEqual([
          'garbage possible',
          null,
          null,
        ]);
        expect(amongLosses(REBORN, 'garbage')).toEqual(['possible', 'likely']);
      },
      'logs that are rotated (a number comes back with every second file): exempt': () => {
        for (const path of ['/var/log/app', '/srv/app.log', '/srv/logs/x', '/srv/app.1'])
          expect(accusation(REBORN, reborn({ path }))).toBeNull();
      },
      'written under a temporary name and renamed, twice: `possible` alone': () =>
        expect(accusation(REBORN, reborn())).toBe('garbage possible'),
      'what git writes as a lock file and renames, time and again: exempt': () => {
        for (const name of ['index', 'HEAD', 'ORIG_HEAD', 'refs/heads/main', 'packed-refs'])
          expect(accusation(REBORN, reborn({ path: `/srv/repo/.git/${name}` }))).toBeNull();
      },
    },
  },
  {
    rule: RETURNED,
    accuses: {
      'a name whose inode’s number has become another file’s': () =>
        expect(accusation(RETURNED, reborn({ inode: { numbersReturn: true } }))).toBe('garbage possible'),
      'in a directory that was written since and is as it was': () => {
        const parent = parentCase([directory(5)], directory(22), {
          blocks: [blockWitness('unchanged', { formerly: { sizeBytes: 4096, mtimeNs: day(5), ctimeNs: day(5) } })],
        });
        expect(accusation(RETURNED, reborn({ inode: { numbersReturn: true }, parent }))).toBe('garbage likely');
      },
    },
    innocent: {
      'deleted and made again, which as a rule brings the number back: `possible`, unless its directory is as it was':
        () => {
          expect(accusation(RETURNED, reborn())).toBeNull();
          expect(accusation(REBORN, reborn({ inode: { numbersReturn: true } }))).toBeNull();
          expect(amongLosses(RETURNED, 'garbage')).toEqual(['possible', 'possible']);
        },
    },
  },
];

/** In another extent. */
function apart({ spans }: BlockWitness) {
  return spans.map(span => ({ ...span, physical: span.physical + 40_960 }));
}
