// What is counted of the names of a directory.

import { describe, expect, it } from 'vitest';
import { countName, type NameChanges } from '../../src/judge/name-changes.ts';
import { type CaseParts, day, directory, file, parentCase, pathCase } from './path-case-of.ts';

/** The counts that one path adds, those that are not zero. */
function countsOf(parts: CaseParts): Partial<NameChanges> {
  const changes = new Map<string, NameChanges>();
  countName(changes, pathCase(parts));
  return Object.fromEntries(Object.entries(changes.get('0:/d') ?? {}).filter(([, count]) => count > 0));
}

const old = file(5, 'a');
const other = file(16, 'b', { stat: { inode: 13n } });

describe('a name', () => {
  it('that was made is gone, or stands', () => {
    expect(countsOf({ was: [null, other], is: null })).toEqual({ made: 1, madeGone: 1 });
    expect(countsOf({ was: [null, other], is: other })).toEqual({ made: 1, kept: 1 });
  });

  it('that was removed is back with its inode, or with another', () => {
    expect(countsOf({ was: [old, null], is: file(22, 'x') })).toEqual({ removed: 1, removedBack: 1 });
    expect(countsOf({ was: [old, null], is: other })).toEqual({ removed: 1 });
    expect(countsOf({ was: [old, null], is: null })).toEqual({ removed: 1 });
  });

  it('that was replaced leads to its older inode, beyond doubt if nothing has stamped it', () => {
    const back = { replaced: 1, replacedBack: 1 };
    expect(countsOf({ was: [old, other], is: file(22, 'x') })).toEqual(back);
    expect(countsOf({ was: [old, other], is: old })).toEqual({ ...back, replacedBeyondDoubt: 1 });
    expect(countsOf({ was: [old, other], is: other })).toEqual({ replaced: 1, kept: 1 });
  });

  it('that leads to its older number is back if that was not used again since', () => {
    const bornOn = (number: number) => file(22, 'x', { stat: { crtimeNs: day(number) } });
    expect(countsOf({ was: [old, other], is: bornOn(17) })).toEqual({
      replaced: 1,
      replacedBack: 1,
      replacedBeyondDoubt: 1,
    });
    expect(countsOf({ was: [old, other], is: bornOn(22) })).toEqual({ replaced: 1 });
    const rotated = { was: [old, other], is: bornOn(17), inode: { cameFrom: ['/d/log'] } };
    expect(countsOf(rotated)).toEqual({ replaced: 1 });
  });

  it('of both generations that is gone is counted apart, one that stands is not', () => {
    expect(countsOf({ was: [old, file(16, 'b')], is: null })).toEqual({ olderGone: 1 });
    expect(countsOf({ was: [old, file(16, 'b')], is: old })).toEqual({});
  });

  it('of a directory that is another inode by now, or was another before, tells nothing', () => {
    const made = { was: [null, other], is: null };
    const exchangedNow = parentCase([directory(4), directory(16)], directory(5, { inode: 77n }));
    const exchangedThen = parentCase([directory(4, { inode: 77n }), directory(16)], directory(22));
    expect(countsOf({ ...made, parent: exchangedNow })).toEqual({});
    expect(countsOf({ ...made, parent: exchangedThen })).toEqual({});
    expect(countsOf({ ...made, parent: parentCase([null, directory(16)], directory(22)) })).toEqual({
      made: 1,
      madeGone: 1,
    });
  });
});
