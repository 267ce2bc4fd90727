// Blocks that are back in a state that had been replaced, by several block maps.

import { expect } from 'vitest';
import type { GoneBackSpan } from '../../../src/judge/block-witness.ts';
import { judgePath } from '../../../src/judge/judge-path.ts';
import { findingOf } from '../finding-of.ts';
import { accusation, day, file, LATE_WINDOW, pathCase, ranges } from '../path-case-of.ts';
import { raisedAmongLosses } from './among-losses.ts';
import type { RuleTests } from './rule-tests.ts';

const BACK = 'block-went-back';
const PUT_BACK = 'block-went-back-or-put-back';

/** A block of the file, at 1 MiB of the disk, back to g0. */
function back(block: number, parts: Partial<GoneBackSpan> = {}): GoneBackSpan {
  const offset = block * 4096;
  return { offset, length: 4096, physical: 2 ** 20 + offset, backTo: 'g0', isOwn: true, isTelling: true, ...parts };
}

/** A file of four blocks, written on day 22. */
function now(...goneBack: readonly GoneBackSpan[]) {
  const is = file(22, '', { sizeBytes: 4 * 4096, stat: { generation: 1 } });
  return pathCase({ is, goneBack, window: LATE_WINDOW });
}

export const HISTORY_TESTS: readonly RuleTests[] = [
  {
    rule: BACK,
    accuses: {
      'a block of its own of an older day: stale there': () => {
        expect(accusation(BACK, now(back(1)))).toBe('stale possible');
        expect(ranges(BACK, now(back(1)))).toEqual(['stale 4096+4096']);
        expect(accusation(BACK, now())).toBeNull();
      },
      'what its place held when it was another’s: garbage there': () => {
        const known = now(back(1), back(2, { isOwn: false }));
        expect(accusation(BACK, known)).toBe('garbage possible');
        expect(ranges(BACK, known)).toEqual(['stale 4096+4096', 'garbage 8192+4096']);
      },
      'a block of what a name that is back leads to': () => {
        const was = [file(5, 'a b'), null];
        const { finding } = judgePath(pathCase({ was, is: file(5, 'a b'), goneBack: [back(1)] }));
        expect(finding?.verdict).toBe('resurrected');
        expect(finding?.ranges.map(({ state, offset, length }) => [state, offset, length])).toEqual([
          ['stale', 4096, 4096],
        ]);
      },
      'and tells where on the disk, and of which day': () => {
        const { finding } = judgePath(now(back(1), back(3, { backTo: 'g1' })));
        expect(finding?.evidence[0]).toEqual({
          scanner: 'blocks',
          rule: BACK,
          supports: true,
          detail: '8192 bytes of it are back in a state that had been replaced, that of g0.',
        });
        expect(finding?.ranges).toEqual([
          { offset: 4096, length: 4096, physical: 2 ** 20 + 4096, state: 'stale', detail: 'as in g0' },
          { offset: 12_288, length: 4096, physical: 2 ** 20 + 12_288, state: 'stale', detail: 'as in g1' },
        ]);
      },
      'beside what another rule has to say: both are harmed': () => {
        const then = file(16, 'a b c d', { stat: { generation: 1 } });
        const is = file(16, 'a x c d', { stat: { generation: 1 } });
        const { finding } = judgePath(pathCase({ was: [then], is, goneBack: [back(2, { length: 8192 })] }));
        expect(finding?.evidence.map(({ rule }) => rule)).toEqual(['changed-under-unchanged-inode']);
        expect(finding?.confidence).toBe('proven');
        expect(finding?.ranges.map(({ offset, length, detail }) => [offset, length, detail])).toEqual([
          [4096, 4096, null],
          [8192, 8192, 'as in g0'],
        ]);
      },
      'of which another rule knows a part: the rest of it': () => {
        const then = file(16, 'a b c d', { stat: { generation: 1 } });
        const is = file(16, 'a x c d', { stat: { generation: 1 } });
        const { finding } = judgePath(pathCase({ was: [then], is, goneBack: [back(0, { length: 16_384 })] }));
        expect(finding?.ranges.map(({ offset, length, physical }) => [offset, length, physical])).toEqual([
          [0, 4096, 2 ** 20],
          [4096, 4096, null],
          [8192, 8192, 2 ** 20 + 8192],
        ]);
      },
    },
    innocent: {
      'a program that writes single old blocks back (a database, a ring of records): `possible` alone': () => {
        expect(accusation(BACK, now(back(1)))).toBe('stale possible');
        const finding = findingOf(BACK, { scanner: 'blocks' });
        expect([raisedAmongLosses(finding, 2), raisedAmongLosses(finding, 3)]).toEqual(['possible', 'likely']);
      },
      'the same bytes written again to the same place, as a file deleted before that day: `possible` alone': () =>
        expect(accusation(BACK, now(back(0, { isOwn: false })))).toBe('garbage possible'),
    },
  },
  {
    rule: PUT_BACK,
    accuses: {
      'blocks of which none is telling': () => {
        expect(accusation(PUT_BACK, now(back(0, { isTelling: false })))).toBe('stale possible');
        expect(ranges(PUT_BACK, now(back(0, { isTelling: false })))).toEqual(['stale 0+4096']);
      },
      'no file that has a telling one: the rule above has the word, with all of them': () => {
        const known = now(back(0, { isTelling: false }), back(2));
        expect(accusation(PUT_BACK, known)).toBeNull();
        expect(ranges(BACK, known)).toEqual(['stale 0+4096', 'stale 8192+4096']);
      },
    },
    innocent: {
      'a mark of being open or clean at its beginning, a file that alternates, is rolled back or checked out again: `possible`':
        () => {
          expect(accusation(PUT_BACK, now(back(0, { isTelling: false })))).toBe('stale possible');
          expect(raisedAmongLosses(findingOf(PUT_BACK, { scanner: 'blocks' }), 9)).toBe('possible');
          const vouched = file(22, 'a b', { stat: { ctimeNs: day(22) } });
          const later = { was: [file(16, 'a c'), vouched], is: vouched, goneBack: [back(0, { isTelling: false })] };
          expect(judgePath(pathCase({ ...later, window: { fromNs: day(12), toNs: day(18) } })).finding).toBeNull();
        },
    },
  },
];
