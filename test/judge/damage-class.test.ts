// Stale or garbage: what block hashes and the inode say of wrong content.

import { describe, expect, it } from 'vitest';
import { classifyDamage } from '../../src/judge/damage-class.ts';
import { newestPast, type PathCase } from '../../src/judge/path-case.ts';
import { day, file, hashOfWord, pathCase } from './path-case-of.ts';

function classOf(known: PathCase): string[] {
  const newest = newestPast(known)?.expectation;
  if (newest == null) throw new Error('no newest generation');
  const { verdict, ranges } = classifyDamage(known, newest);
  return [verdict, ...ranges.map(({ offset, length, state }) => `${state} ${offset}+${length}`)];
}

describe('wrong content', () => {
  it('is foreign where another path has the block, and names it', () => {
    const donors = new Map([[hashOfWord('x'), ['/d/f', '/e/donor']]]);
    const known = pathCase({ was: [file(16, 'a b c')], is: file(16, 'a x y'), donors });
    expect(classOf(known)).toEqual(['garbage', 'foreign 4096+4096', 'garbage 8192+4096']);
    const newest = newestPast(known)?.expectation;
    expect(newest && classifyDamage(known, newest).ranges[0]?.detail).toBe('a block of /e/donor');
  });

  it('is not foreign where only the path itself has the block', () => {
    const donors = new Map([[hashOfWord('x'), ['/d/f']]]);
    expect(classOf(pathCase({ was: [file(16, 'a b')], is: file(16, 'a x'), donors }))).toEqual([
      'garbage',
      'garbage 4096+4096',
    ]);
  });

  it('is of a day between where a file that is rewritten in place has an unknown block among the older ones', () => {
    const known = pathCase({ was: [file(5, 'a b c'), file(16, 'a d e f')], is: file(16, 'a x e f') });
    expect(classOf(known)).toEqual(['stale', 'stale 4096+4096']);
  });

  it('is garbage behind the blocks of the older state', () => {
    const known = pathCase({ was: [file(5, 'a b'), file(16, 'a b c d')], is: file(16, 'a b c x') });
    expect(classOf(known)).toEqual(['garbage', 'garbage 12288+4096']);
  });

  it('is of a day between where the inode is of no generation and older than the newest', () => {
    const known = pathCase({ was: [file(5, 'a b'), file(16, 'c d')], is: file(12, 'x y') });
    expect(classOf(known)).toEqual(['stale', 'stale 0+8192']);
  });

  it('is garbage where the inode’s number was handed on', () => {
    const is = file(12, 'x y', { stat: { crtimeNs: day(12) } });
    expect(classOf(pathCase({ was: [file(5, 'a b'), file(16, 'c d')], is }))).toEqual(['garbage', 'garbage 0+8192']);
  });

  it('is garbage where the inode was another name’s', () => {
    const known = pathCase({ was: [file(16, 'c d')], is: file(12, 'x y'), inode: { cameFrom: ['/e/g'] } });
    expect(classOf(known)).toEqual(['garbage', 'garbage 0+8192']);
  });

  it('with zeros is garbage, range by range', () => {
    const known = pathCase({ was: [file(16, 'a b c')], is: file(16, 'a zero c') });
    expect(classOf(known)).toEqual(['garbage', 'zero 4096+4096']);
  });
});
