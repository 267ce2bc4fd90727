// Inodes and directories that are behind what they lead to.

import { expect } from 'vitest';
import { accusation, day, directory, file, named, pathCase } from '../path-case-of.ts';
import { restoredVolumeSays } from './restored-volume.ts';
import type { RuleTests } from './rule-tests.ts';

const BACK = 'inode-went-back';
const UNDER_CTIME = 'metadata-under-unchanged-ctime';
const YOUNGER = 'entry-younger-than-directory';
const TICK_NS = 10_000_000n;

const withChild = (bornNs: bigint, changed = 30, is = directory(20)) => {
  const child = named('/d/f/new', file(changed, 'x', { stat: { crtimeNs: bornNs } }));
  return pathCase({ is, inode: { youngerChild: child } });
};

export const METADATA_TESTS: readonly RuleTests[] = [
  {
    rule: BACK,
    accuses: {
      'the content is right and the inode that of the older generation': () => {
        const was = [file(5, 'a', { stat: { mode: 0o600 } }), file(16, 'a')];
        const known = pathCase({ was, is: file(5, 'a', { stat: { mode: 0o600 } }) });
        expect(accusation(BACK, known)).toBe('stale metadata proven');
      },
      'a directory as well': () => {
        const known = pathCase({ was: [directory(5), directory(16)], is: directory(5) });
        expect(accusation(BACK, known)).toBe('stale metadata proven');
      },
    },
    innocent: {
      'a clock that was set back: `likely` unless the ctime is that of an older generation': () => {
        const known = pathCase({ was: [file(5, 'a'), file(16, 'a')], is: file(14, 'a') });
        expect(accusation(BACK, known)).toBe('stale metadata likely');
      },
      'the whole file system restored from a snapshot: groups tell': () =>
        expect(restoredVolumeSays(BACK, { metadataOnly: true, confidence: 'proven' })).toBe('altered possible'),
    },
  },
  {
    rule: UNDER_CTIME,
    accuses: {
      'mode, owner, group or time of modification under the same ctime': () => {
        const was = [file(16, 'a')];
        for (const stat of [{ mode: 0o600 }, { uid: 7 }, { gid: 7 }, { mtimeNs: day(3) }]) {
          expect(accusation(UNDER_CTIME, pathCase({ was, is: file(16, 'a', { stat }) }))).toBe('stale metadata proven');
        }
      },
    },
    innocent: {
      'none: every one of these changes stamps the ctime': () => {
        const is = file(16, 'a', { stat: { mode: 0o600, ctimeNs: day(22) } });
        expect(accusation(UNDER_CTIME, pathCase({ was: [file(16, 'a')], is }))).toBeNull();
      },
    },
  },
  {
    rule: YOUNGER,
    accuses: {
      'an entry born a day after its directory last changed': () =>
        expect(accusation(YOUNGER, withChild(day(21)))).toBe('stale metadata possible'),
    },
    innocent: {
      'a clock that was set back': () =>
        expect(accusation(YOUNGER, withChild(day(21)))).toBe('stale metadata possible'),
      'the entry is the false one (a name of old that leads to a newer inode): so never more than `possible`': () =>
        expect(accusation(YOUNGER, withChild(day(29)))).toBe('stale metadata possible'),
      'a tick of the clock: more than one is asked': () => {
        expect(accusation(YOUNGER, withChild(day(20) + TICK_NS))).toBeNull();
        expect(accusation(YOUNGER, withChild(day(20) + TICK_NS + 1n))).toBe('stale metadata possible');
      },
      'a file system that was filled without a kernel (mke2fs -d): its times are copies, and say so': () => {
        const copied = directory(20, { crtimeNs: day(21) });
        expect(accusation(YOUNGER, withChild(day(21), 30, copied))).toBeNull();
        expect(accusation(YOUNGER, withChild(day(21), 20))).toBeNull();
      },
      'a mounted file system: not counted': () =>
        expect(accusation(YOUNGER, pathCase({ is: directory(20), inode: { youngerChild: null } }))).toBeNull(),
    },
  },
];
