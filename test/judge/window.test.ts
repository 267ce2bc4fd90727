// Where times lie against the window.

import { describe, expect, it } from 'vitest';
import type { InodeWitness } from '../../src/judge/path-case.ts';
import { directoryPlace, isAtRisk, isNameAtRisk, windowPlace } from '../../src/judge/window.ts';
import { day, directory, file, parentCase, pathCase, WINDOW } from './path-case-of.ts';

const { fromNs, toNs } = WINDOW;
const at = (ctimeNs: bigint, crtimeNs: bigint | null = day(1)) =>
  file(3, 'a', { stat: { ctimeNs, mtimeNs: day(2), crtimeNs } }).stat;

describe('a place in the window', () => {
  it('is inside at both ends, outside before, later after', () => {
    const places = [day(15) - 1n, day(15), day(18), day(18) + 1n].map(ctimeNs => windowPlace(at(ctimeNs), WINDOW));
    expect(places).toEqual(['outside', 'inside', 'inside', 'later']);
  });

  it('counts the newest of ctime, mtime and time of birth', () => {
    expect(windowPlace(file(3, 'a', { stat: { ctimeNs: day(3), mtimeNs: day(16) } }).stat, WINDOW)).toBe('inside');
    expect(windowPlace(at(day(3), day(16)), WINDOW)).toBe('inside');
  });

  it('is outside for what was born after it', () => {
    expect(windowPlace(at(day(20), day(19)), WINDOW)).toBe('outside');
    expect(windowPlace(at(day(20), null), WINDOW)).toBe('later');
  });

  it('may have open ends', () => {
    expect(windowPlace(at(day(3)), { fromNs: null, toNs })).toBe('inside');
    expect(windowPlace(at(day(29)), { fromNs, toNs: null })).toBe('inside');
    expect(windowPlace(at(day(3)), { fromNs, toNs: null })).toBe('outside');
    expect(windowPlace(at(day(29)), { fromNs: null, toNs })).toBe('later');
  });

  it('is unknown without window or inode', () => {
    expect(windowPlace(at(day(16)), null)).toBe('unknown');
    expect(windowPlace(null, WINDOW)).toBe('unknown');
  });
});

describe('the directories above', () => {
  const below = (changed: number) => pathCase({ is: file(3, 'a'), parent: parentCase([], directory(changed)) });

  it('have the place of the one that draws most attention', () => {
    expect([3, 16, 22].map(changed => directoryPlace(below(changed)))).toEqual(['outside', 'inside', 'later']);
    const root = parentCase([], directory(16), { path: '/' });
    expect(directoryPlace(pathCase({ parent: parentCase([], directory(3), { parent: root }) }))).toBe('inside');
    expect(directoryPlace(pathCase({ parent: null }))).toBe('unknown');
  });

  it('put at risk what lies below them', () => {
    expect([3, 16, 22].map(changed => isAtRisk(below(changed)))).toEqual([false, true, true]);
  });

  it('put nothing at risk without a window, and old inodes do with one', () => {
    const parent = parentCase([], directory(3));
    expect(isAtRisk(pathCase({ is: file(16, 'a'), window: null }))).toBe(false);
    expect(isAtRisk(pathCase({ is: file(3, 'a'), parent, inode: { isAmongOldInodes: true } }))).toBe(true);
  });

  it('put at risk what lies below them where their own times are of an older day', () => {
    const below = (inode: Partial<InodeWitness>) =>
      pathCase({ is: file(3, 'a'), parent: parentCase([], directory(3), { inode }) });
    expect(isAtRisk(below({}))).toBe(false);
    expect(isAtRisk(below({ isAmongOldInodes: true }))).toBe(true);
    expect(isAtRisk(below({ lostSubdirectories: 1 }))).toBe(true);
  });
});

describe('a name', () => {
  const inside = (changed: number, above: number) => {
    const root = parentCase([], directory(above), { path: '/' });
    return isNameAtRisk(pathCase({ is: file(16, 'a'), parent: parentCase([], directory(changed), { parent: root }) }));
  };

  it('is at risk where the directory that has it changed, or is of an older day', () => {
    expect([inside(16, 3), inside(22, 3), inside(3, 16)]).toEqual([true, true, false]);
    const parent = parentCase([], directory(3), { inode: { isAmongOldInodes: true } });
    expect(isNameAtRisk(pathCase({ is: file(3, 'a'), parent }))).toBe(true);
    expect(isNameAtRisk(pathCase({ is: file(16, 'a'), parent: null }))).toBe(false);
  });
});
