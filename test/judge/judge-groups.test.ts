// What findings say of each other.

import { describe, expect, it } from 'vitest';
import { type Counters, countFinding, judgeGroups, newCounters } from '../../src/judge/judge-groups.ts';
import { NO_CHANGES } from '../../src/judge/name-changes.ts';
import type { Finding } from '../../src/model.ts';
import { findingOf } from './finding-of.ts';

const loss = (path: string, parts: Partial<Finding> = {}) =>
  findingOf('changed-under-unchanged-inode', { path, confidence: 'proven', ...parts });

function counted(findings: readonly Finding[]): Counters {
  const counters = newCounters();
  for (const finding of findings) countFinding(counters, finding);
  return counters;
}

function judged(findings: readonly Finding[], counters = counted(findings)): string[] {
  return [...judgeGroups(findings, counters)].map(
    ({ path, verdict, confidence, evidence }) => `${path} ${verdict} ${confidence} ${evidence.map(({ rule }) => rule)}`,
  );
}

const packageFinding = (path: string) =>
  findingOf('differs-from-manifest', {
    scanner: 'packages',
    path,
    verdict: 'altered',
    confidence: 'likely',
    owner: { kind: 'package', name: 'fern', version: '1' },
  });

describe('losses come in clusters', () => {
  const hint = findingOf('written-yet-unchanged', { path: '/h' });
  const mtime = findingOf('changed-under-unchanged-mtime', { path: '/m' });

  it('three beyond doubt raise what only an ordinary act explains', () => {
    expect(judged([loss('/a'), loss('/b'), loss('/c'), mtime]).at(-1)).toBe(
      '/m stale likely changed-under-unchanged-mtime,losses-come-in-clusters',
    );
  });

  it('two do not, and other rules are not raised', () => {
    expect(judged([loss('/a'), loss('/b'), mtime]).at(-1)).toBe('/m stale possible changed-under-unchanged-mtime');
    expect(judged([loss('/a'), loss('/b'), loss('/c'), hint]).at(-1)).toBe('/h stale possible written-yet-unchanged');
  });

  it('of content where the hint is of content, which was touched where names and inodes alone went back', () => {
    const touched = findingOf('written-yet-unchanged-in-place', { path: '/t', scanner: 'blocks' });
    const lost = (path: string) => findingOf('never-landed', { path, scanner: 'blocks', confidence: 'likely' });
    const [one, two, three] = [lost('/a'), lost('/b'), lost('/c')];
    expect(judged([loss('/x'), loss('/y'), loss('/z'), one, two, touched]).at(-1)).toBe(
      '/t stale possible written-yet-unchanged-in-place',
    );
    expect(judged([one, two, three, touched]).at(-1)).toBe(
      '/t stale likely written-yet-unchanged-in-place,losses-come-in-clusters',
    );
  });

  it('of content are files of an older day as well, but no inodes', () => {
    const touched = findingOf('written-yet-unchanged-in-place', { path: '/t', scanner: 'blocks' });
    const old = (path: string, parts: Partial<Finding> = {}) =>
      findingOf('older-content', { path, confidence: 'proven', ...parts });
    expect(judged([old('/a'), old('/b'), old('/c'), touched]).at(-1)).toContain('/t stale likely');
    const inode = old('/c', { metadataOnly: true });
    expect(judged([old('/a'), old('/b'), inode, touched]).at(-1)).toContain('/t stale possible');
  });

  it('raise what its manifest calls altered, if that looks like a loss besides', () => {
    const amongLosses = findingOf('reborn-under-its-name', { path: '/p', scanner: 'blocks', verdict: 'garbage' });
    const altered = { ...packageFinding('/p'), amongLosses };
    expect(judged([loss('/a'), loss('/b'), loss('/c'), altered]).at(-1)).toBe(
      '/p garbage likely reborn-under-its-name,losses-come-in-clusters',
    );
    expect(judged([loss('/a'), loss('/b'), altered]).at(-1)).toBe('/p altered likely differs-from-manifest');
  });

  it('on one volume only', () => {
    const other = loss('/c', { volume: 1 });
    expect(judged([loss('/a'), loss('/b'), other, mtime]).at(-1)).toBe(
      '/m stale possible changed-under-unchanged-mtime',
    );
  });

  it('hints, consequences, alterations, refusals and manifests are no losses', () => {
    const none = [
      loss('/a', { confidence: 'possible' }),
      loss('/b', { causePath: '/' }),
      loss('/c', { verdict: 'altered' }),
      loss('/d', { verdict: 'unreadable' }),
      packageFinding('/e'),
    ];
    expect(counted(none).losses.get(0)).toBeUndefined();
  });
});

describe('a directory that went back', () => {
  const made = findingOf('gone-as-if-never-made', { path: '/d/new', verdict: 'missing' });
  const back = findingOf('back-with-untouched-inode', { path: '/d/old', verdict: 'resurrected', confidence: 'proven' });

  it('takes its other names with it', () => {
    expect(judged([made, back])[0]).toBe('/d/new missing likely gone-as-if-never-made,directory-went-back');
  });

  it('tells so by a name that leads to its older inode again', () => {
    const counters = newCounters();
    const replaced = { replaced: 1, replacedBack: 1, replacedBeyondDoubt: 1, made: 1, madeGone: 1 };
    counters.names.set('0:/d', { ...NO_CHANGES, ...replaced });
    expect(judged([made], counters)).toEqual(['/d/new missing likely gone-as-if-never-made,directory-went-back']);
  });

  it('did not go back whole where most of what was made stands', () => {
    const counters = (kept: number) => {
      const counted = newCounters();
      counted.namesBack.set('0:/d', 1);
      counted.names.set('0:/d', { ...NO_CHANGES, made: kept + 1, madeGone: 1, kept });
      return counted;
    };
    expect(judged([made], counters(2))[0]).toBe('/d/new missing likely gone-as-if-never-made,directory-went-back');
    expect(judged([made], counters(3))[0]).toBe('/d/new missing possible gone-as-if-never-made');
  });

  it('does not take those of another directory', () => {
    expect(judged([made, { ...back, path: '/e/old' }])[0]).toBe('/d/new missing possible gone-as-if-never-made');
  });
});

describe('a name that was renamed on', () => {
  const onward = findingOf('gone-and-renamed-on', { path: '/d/new', verdict: 'missing' });
  const child = findingOf('gone-below-a-finding', { path: '/d/new/x', verdict: 'missing', causePath: '/d/new' });
  const back = findingOf('back-with-untouched-inode', { path: '/d/old', verdict: 'resurrected', confidence: 'proven' });

  it('is no finding, nor is what was below it', () => {
    expect(judged([onward, child])).toEqual([]);
  });

  it('is one in a directory that went back', () => {
    expect(judged([onward, child, back]).slice(0, 2)).toEqual([
      '/d/new missing likely gone-and-renamed-on,directory-went-back',
      '/d/new/x missing likely gone-below-a-finding,as-its-cause',
    ]);
  });

  it('is none where anything that was made there stands', () => {
    const counters = counted([back]);
    counters.names.set('0:/d', { ...NO_CHANGES, made: 2, madeGone: 1, kept: 1 });
    expect(judged([onward], counters)).toEqual([]);
  });
});

describe('names of a directory that went back', () => {
  const back = findingOf('back-as-if-never-removed', { path: '/d/old', verdict: 'resurrected' });
  const undone = (removedBack: number) => {
    const counters = newCounters();
    counters.losses.set(0, 3);
    counters.names.set('0:/d', { ...NO_CHANGES, made: 1, madeGone: 1, removed: 2, removedBack });
    return judged([back], counters)[0];
  };

  it('are back when every change of the directory is undone', () => {
    expect(undone(2)).toBe('/d/old resurrected likely back-as-if-never-removed,directory-undone');
  });

  it('may have been renamed back where one of the changes stands', () => {
    expect(undone(1)).toBe('/d/old resurrected possible back-as-if-never-removed');
  });
});

describe('hints whose innocent explanation is a rare accident', () => {
  const hint = (name: string) => findingOf('changed-under-unchanged-inode', { path: `/${name}`, verdict: 'garbage' });

  it('are losses when three of them stand on one volume, and not when two do', () => {
    const three = ['a', 'b', 'c'].map(hint);
    expect(judged(three, counted(three))[0]).toBe(
      '/a garbage likely changed-under-unchanged-inode,losses-come-in-clusters',
    );
    const two = ['a', 'b'].map(hint);
    expect(judged(two, counted(two))[0]).toBe('/a garbage possible changed-under-unchanged-inode');
  });
});

describe('a directory that never saw its names', () => {
  const made = findingOf('gone-as-if-never-made', { path: '/d/new', verdict: 'missing' });
  const onDamaged = (parts: { made: number; madeGone: number; olderGone: number }, losses = 3) => {
    const counters = newCounters();
    counters.losses.set(0, losses);
    counters.names.set('0:/d', { ...NO_CHANGES, ...parts });
    return judged([made], counters)[0];
  };

  it('lacks all of the new ones and none of the old', () => {
    expect(onDamaged({ made: 3, madeGone: 3, olderGone: 0 })).toBe(
      '/d/new missing likely gone-as-if-never-made,directory-undone',
    );
  });

  it('is not one that was cleaned: of old names, of some, of few, or on a volume without losses', () => {
    const quiet = '/d/new missing possible gone-as-if-never-made';
    expect(onDamaged({ made: 3, madeGone: 3, olderGone: 1 })).toBe(quiet);
    expect(onDamaged({ made: 4, madeGone: 3, olderGone: 0 })).toBe(quiet);
    expect(onDamaged({ made: 2, madeGone: 2, olderGone: 0 })).toBe(quiet);
    expect(onDamaged({ made: 3, madeGone: 3, olderGone: 0 }, 2)).toBe(quiet);
  });
});

describe('a manifest that is stale itself', () => {
  const withPackage = (files: number, differing: number) => {
    const counters = newCounters();
    counters.packages.set('fern', { files, differing });
    return judged([packageFinding('/f')], counters)[0];
  };

  it('differs from nine tenths of five or more files', () => {
    expect(withPackage(10, 9)).toBe('/f altered possible differs-from-manifest,manifest-is-stale');
    expect(withPackage(5, 5)).toBe('/f altered possible differs-from-manifest,manifest-is-stale');
  });

  it('is believed where fewer differ, or the package is small', () => {
    expect(withPackage(10, 8)).toBe('/f altered likely differs-from-manifest');
    expect(withPackage(4, 4)).toBe('/f altered likely differs-from-manifest');
  });
});

describe('a volume that was restored', () => {
  const restored = (changed: number, wentBack: number) => {
    const counters = newCounters();
    counters.changed.set(0, { changed, wentBack });
    counters.losses.set(0, 9);
    return judged([loss('/a')], counters)[0];
  };

  it('has nearly all of many changes undone: nothing is lost, and nothing is raised again', () => {
    expect(restored(100, 97)).toBe('/a altered possible changed-under-unchanged-inode,restored-as-a-whole');
  });

  it('is none where more than a few changes stand, or few were made', () => {
    expect(restored(100, 96)).toBe('/a stale proven changed-under-unchanged-inode');
    expect(restored(19, 19)).toBe('/a stale proven changed-under-unchanged-inode');
  });
});

describe('what is known through a directory', () => {
  const child = findingOf('gone-below-a-finding', { path: '/d/new/x', verdict: 'missing', causePath: '/d/new' });
  const made = findingOf('gone-as-if-never-made', { path: '/d/new', verdict: 'missing' });
  const back = findingOf('back-with-untouched-inode', { path: '/d/old', verdict: 'resurrected', confidence: 'proven' });

  it('is as sure as the directory’s own finding became', () => {
    expect(judged([made, child], counted([made, child, back]))[1]).toBe(
      '/d/new/x missing likely gone-below-a-finding,as-its-cause',
    );
  });

  it('stays a hint where that one does', () => {
    expect(judged([made, child])[1]).toBe('/d/new/x missing possible gone-below-a-finding');
  });
});
