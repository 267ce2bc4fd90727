// Names that are gone.

import { expect } from 'vitest';
import { judgeGroups, newCounters } from '../../../src/judge/judge-groups.ts';
import { judgePath } from '../../../src/judge/judge-path.ts';
import { findingOf } from '../finding-of.ts';
import {
  accusation,
  day,
  directory,
  file,
  LATE_WINDOW,
  named,
  parentCase,
  pathCase,
  type State,
} from '../path-case-of.ts';
import { changed, exchanged, stampedBack, unchanged, under } from './directories-above.ts';
import type { RuleTests } from './rule-tests.ts';

const was = [file(5, 'a'), file(16, 'b')];
const moved = (to: string) =>
  parentCase([directory(4), directory(16)], null, { inode: { livesAt: [named(to, directory(22))] } });
const gone = (parts: Parameters<typeof pathCase>[0] = {}) => pathCase({ was, is: null, ...parts });

/** Written, and stamped without being written, since the newest generation. */
const written = file(22, 'b');
const stamped = file(16, 'b', { stat: { ctimeNs: day(22) } });
/** Born between the generations. */
const newborn = file(16, 'b', { stat: { crtimeNs: day(16) } });
/** Renamed to its name between the generations; its inode has its older one again. */
const renamedBack = (now: State) =>
  gone({ was: [null, file(16, 'b')], inode: { livesAt: [named('/d/g', now, { isNameOfOld: true })] } });

export const GONE_TESTS: readonly RuleTests[] = [
  {
    rule: 'gone-below-a-finding',
    accuses: {
      'the directory above is missing': () => {
        const above = findingOf('gone', { verdict: 'missing', confidence: 'proven' });
        expect(accusation('gone-below-a-finding', gone({ above }))).toBe('missing proven');
      },
      'another inode stands in the place of the directory above': () => {
        const above = findingOf('another-inode-of-old', { confidence: 'likely' });
        expect(accusation('gone-below-a-finding', gone({ above }))).toBe('missing likely');
      },
    },
    innocent: {
      'as those of the directory above': () => {
        const above = findingOf('gone', { verdict: 'missing', confidence: 'possible' });
        expect(accusation('gone-below-a-finding', gone({ above }))).toBe('missing possible');
        const hint = findingOf('another-inode-of-old', { confidence: 'possible' });
        expect(accusation('gone-below-a-finding', gone({ above: hint }))).toBeNull();
      },
      'deleted since, in a directory that is unreadable and has changed: `likely` at most': () => {
        const above = findingOf('listing-refused', { verdict: 'unreadable', confidence: 'proven' });
        const changed = under(directory(22));
        expect(accusation('gone-below-a-finding', gone({ above, parent: changed }))).toBe('missing likely');
        expect(accusation('gone-below-a-finding', gone({ above, parent: unchanged }))).toBe('missing proven');
      },
    },
  },
  {
    rule: 'gone-under-unchanged-directory',
    accuses: {
      'the directory is as it was when it had the name': () =>
        expect(accusation('gone-under-unchanged-directory', gone({ parent: unchanged }))).toBe('missing proven'),
      'the directory went back to the older generation': () =>
        expect(accusation('gone-under-unchanged-directory', gone({ parent: under(directory(4)) }))).toBe(
          'missing proven',
        ),
      'against a generation that does not know the window’s end only `possible`': () =>
        expect(accusation('gone-under-unchanged-directory', gone({ parent: unchanged, window: LATE_WINDOW }))).toBe(
          'missing possible',
        ),
    },
    innocent: {
      'a deletion or rename stamps the directory’s ctime': () => {
        expect(accusation('gone-under-unchanged-directory', gone({ parent: changed }))).toBeNull();
        expect(accusation('gone-under-unchanged-directory', gone({ parent: exchanged }))).toBeNull();
      },
      'a clock that was set back: `likely` unless the ctime is the generation’s, or that of an older one': () =>
        expect(accusation('gone-under-unchanged-directory', gone({ parent: stampedBack }))).toBe('missing likely'),
    },
  },
  {
    rule: 'gone-but-in-lost-and-found',
    accuses: {
      'a repair put its inode there, unstamped': () => {
        const known = gone({ inode: { livesAt: [named('/lost+found/#12', file(16, 'b'))] } });
        expect(accusation('gone-but-in-lost-and-found', known)).toBe('missing likely');
      },
    },
    innocent: {
      'an orphan of an earlier repair, linked out of lost+found and unlinked again: stamps the inode, `possible` alone':
        () => {
          const known = gone({ inode: { livesAt: [named('/lost+found/#12', file(22, 'b'))] } });
          expect(accusation('gone-but-in-lost-and-found', known)).toBe('missing possible');
        },
      'moved there by hand: stamps the inode, `possible` alone': () => {
        const byHand = file(16, 'b', { stat: { ctimeNs: day(22) } });
        const known = gone({ inode: { livesAt: [named('/lost+found/mine', byHand)] } });
        expect(accusation('gone-but-in-lost-and-found', known)).toBe('missing possible');
      },
    },
  },
  {
    rule: 'gone-but-inode-untouched',
    accuses: {
      'its inode has another name, and nothing has stamped it': () => {
        const known = gone({ inode: { livesAt: [named('/e/g', file(16, 'b'))] } });
        expect(accusation('gone-but-inode-untouched', known)).toBe('missing likely');
      },
    },
    innocent: {
      'a rename or unlink stamps the inode': () => {
        const known = gone({ inode: { livesAt: [named('/e/g', file(22, 'b'))] } });
        expect(accusation('gone-but-inode-untouched', known)).toBeNull();
      },
      'a directory above was moved: that moves the inode’s directory too': () => {
        const livesAt = [named('/e/f', file(16, 'b'))];
        expect(accusation('gone-but-inode-untouched', gone({ inode: { livesAt }, parent: moved('/e') }))).toBeNull();
        expect(accusation('gone-but-inode-untouched', gone({ inode: { livesAt }, parent: exchanged }))).toBeNull();
      },
    },
  },
  {
    rule: 'gone-subdirectory-still-counted',
    accuses: {
      'the directory above counts one more subdirectory than it has': () => {
        const parent = { ...changed, inode: { ...changed.inode, lostSubdirectories: 1 } };
        const known = pathCase({ was: [directory(5), directory(16)], is: null, parent });
        expect(accusation('gone-subdirectory-still-counted', known)).toBe('missing likely');
      },
    },
    innocent: {
      'file systems that do not count subdirectories (a count of 1): exempt': () => {
        const known = pathCase({ was: [directory(5), directory(16)], is: null, parent: changed });
        expect(accusation('gone-subdirectory-still-counted', known)).toBeNull();
      },
    },
  },
  {
    rule: 'gone-but-still-linked',
    accuses: {
      'its inode lives on under its other name, and counts two': () => {
        const known = gone({ inode: { linkStillCounted: true, livesAt: [named('/d/g', written, { isNew: false })] } });
        expect(accusation('gone-but-still-linked', known)).toBe('missing possible');
      },
    },
    innocent: {
      'a deletion: the inode counts a link less': () => {
        const known = gone({ inode: { livesAt: [named('/d/g', written, { isNew: false })] } });
        expect(accusation('gone-but-still-linked', known)).toBeNull();
      },
      'another link made where the scan does not look, or while it looks: `possible` alone': () =>
        expect(accusation('gone-but-still-linked', gone({ inode: { linkStillCounted: true } }))).toBe(
          'missing possible',
        ),
    },
  },
  {
    rule: 'gone-with-its-inode-block',
    accuses: {
      'its inode was made between the generations, in a block that is of before': () => {
        const known = gone({
          was: [file(5, 'a', { stat: { inode: 9n } }), newborn],
          inode: { inodeBlockWentBack: true },
        });
        expect(accusation('gone-with-its-inode-block', known)).toBe('missing possible');
      },
    },
    innocent: {
      'a deletion before its inode’s block went back, a clock that was set back: `possible` alone': () => {
        const inode = { inodeBlockWentBack: true };
        expect(accusation('gone-with-its-inode-block', gone({ was: [null, newborn], inode }))).toBe('missing possible');
        expect(accusation('gone-with-its-inode-block', gone({ inode }))).toBeNull();
        expect(accusation('gone-with-its-inode-block', gone({ was: [null, newborn] }))).toBeNull();
        const alive = { ...inode, livesAt: [named('/e/g', newborn)] };
        expect(accusation('gone-with-its-inode-block', gone({ was: [null, newborn], inode: alive }))).toBeNull();
      },
    },
  },
  {
    rule: 'gone-as-if-never-made',
    accuses: {
      'made between the generations': () =>
        expect(accusation('gone-as-if-never-made', gone({ was: [null, file(16, 'b')] }))).toBe('missing possible'),
      'and its inode has another name, that it had then': () => {
        const inode = { livesAt: [named('/d/g', written, { isNew: false })] };
        const known = gone({ was: [null, file(16, 'b')], inode });
        expect(accusation('gone-as-if-never-made', known)).toBe('missing possible');
      },
    },
    innocent: {
      'a deletion: `possible`, unless other names of the directory went back beyond doubt': () => {
        expect(accusation('gone-as-if-never-made', gone({ was: [null, file(16, 'b')] }))).toBe('missing possible');
        expect(accusation('gone-as-if-never-made', gone())).toBeNull();
      },
      'a directory above was moved, and the name with it: no finding': () => {
        const known = gone({
          was: [null, file(16, 'b')],
          parent: moved('/e'),
          inode: { livesAt: [named('/e/f', written)] },
        });
        expect(accusation('gone-as-if-never-made', known)).toBeNull();
      },
    },
  },
  {
    rule: 'gone-and-written-at-its-old-name',
    accuses: {
      'the last stamp is that of a write under the older name': () =>
        expect(accusation('gone-and-written-at-its-old-name', renamedBack(written))).toBe('missing possible'),
    },
    innocent: {
      'a rename back, and a write after it: `possible` alone': () =>
        expect(accusation('gone-and-written-at-its-old-name', renamedBack(written))).toBe('missing possible'),
      'a rename back leaves a ctime of its own: not said then': () =>
        expect(accusation('gone-and-written-at-its-old-name', renamedBack(stamped))).toBeNull(),
    },
  },
  {
    rule: 'gone-as-if-never-renamed',
    accuses: {
      'its inode has the name of the older generation again': () =>
        expect(accusation('gone-as-if-never-renamed', renamedBack(stamped))).toBe('missing possible'),
    },
    innocent: {
      'a rename back: `possible`, unless other names of the directory went back beyond doubt': () => {
        expect(accusation('gone-as-if-never-renamed', renamedBack(stamped))).toBe('missing possible');
        const onward = gone({ was: [null, file(16, 'b')], inode: { livesAt: [named('/d/h', stamped)] } });
        expect(accusation('gone-as-if-never-renamed', onward)).toBeNull();
      },
    },
  },
  {
    rule: 'gone-and-renamed-on',
    accuses: {
      'made between the generations, and its inode has a third name by now': () => {
        const known = gone({ was: [null, file(16, 'b')], inode: { livesAt: [named('/d/h', stamped)] } });
        expect(accusation('gone-and-renamed-on', known)).toBe('missing possible');
      },
    },
    innocent: {
      'a rename: no finding, unless other names of the directory went back beyond doubt': () => {
        const inode = { livesAt: [named('/d/h', stamped)] };
        expect(accusation('gone-and-renamed-on', gone({ inode }))).toBeNull();
        const known = gone({ was: [null, file(16, 'b')], inode });
        const { finding } = judgePath(known);
        expect([...judgeGroups(finding === null ? [] : [finding], newCounters())]).toEqual([]);
        expect(finding?.evidence.map(({ rule }) => rule)).toEqual(['gone-and-renamed-on']);
      },
    },
  },
  {
    rule: 'gone',
    accuses: { 'nothing tells why': () => expect(accusation('gone', gone())).toBe('missing possible') },
    innocent: {
      'a deletion': () => {
        expect(accusation('gone', gone({ parent: changed }))).toBe('missing possible');
        expect(accusation('gone', gone({ inode: { livesAt: [named('/e/g', file(22, 'b'))] } }))).toBeNull();
        expect(accusation('gone', gone({ parent: moved('/e') }))).toBeNull();
      },
    },
  },
];
