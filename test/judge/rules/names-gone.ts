// Names that are gone.

import { expect } from 'vitest';
import { findingOf } from '../finding-of.ts';
import { accusation, day, directory, file, LATE_WINDOW, named, parentCase, pathCase } from '../path-case-of.ts';
import { changed, exchanged, stampedBack, unchanged, under } from './directories-above.ts';
import type { RuleTests } from './rule-tests.ts';

const was = [file(5, 'a'), file(16, 'b')];
const moved = (to: string) =>
  parentCase([directory(4), directory(16)], null, { inode: { livesAt: [named(to, directory(22))] } });
const gone = (parts: Parameters<typeof pathCase>[0] = {}) => pathCase({ was, is: null, ...parts });

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
    rule: 'gone-as-if-never-made',
    accuses: {
      'made between the generations': () =>
        expect(accusation('gone-as-if-never-made', gone({ was: [null, file(16, 'b')] }))).toBe('missing possible'),
      'renamed between the generations, and its inode is at the older name again': () => {
        const livesAt = [named('/d/g', file(22, 'b'), true)];
        const known = gone({ was: [null, file(16, 'b')], inode: { livesAt } });
        expect(accusation('gone-as-if-never-made', known)).toBe('missing possible');
      },
    },
    innocent: {
      'a deletion, or a rename back: `possible`, unless other names of the directory went back beyond doubt': () => {
        expect(accusation('gone-as-if-never-made', gone({ was: [null, file(16, 'b')] }))).toBe('missing possible');
        expect(accusation('gone-as-if-never-made', gone())).toBeNull();
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
