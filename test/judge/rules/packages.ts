// Content and existence against package manifests.

import { expect } from 'vitest';
import { findingOf } from '../finding-of.ts';
import { accusation, day, directory, file, loggedAs, manifest, parentCase, pathCase } from '../path-case-of.ts';
import type { RuleTests } from './rule-tests.ts';

const HOUR_NS = 3_600_000_000_000n;
const SECOND_NS = 1_000_000_000n;
const installed = { installedAtNs: day(16) };
const packaged = (parts: Parameters<typeof manifest>[1] = installed) => manifest(file(1, 'packaged'), parts);
const at = (changedNs: bigint) => file(16, 'other', { stat: { ctimeNs: changedNs } });

const NOT_REPLACED = 'not-replaced-by-upgrade';
const UNTOUCHED = 'untouched-since-unpacked';
const DIFFERS = 'differs-from-manifest';
const GONE = 'gone-from-package';
const LEFT_OUT = 'left-out-of-package';

export const PACKAGE_TESTS: readonly RuleTests[] = [
  {
    rule: NOT_REPLACED,
    accuses: {
      'an inode from long before the installation': () => {
        const known = pathCase({ is: at(day(16) - HOUR_NS), manifests: [packaged()] });
        expect(accusation(NOT_REPLACED, known)).toBe('stale likely');
      },
      'content of a generation from before the installation needs no margin': () => {
        const is = at(day(16) - SECOND_NS);
        const known = pathCase({ was: [file(5, 'other'), file(16, 'packaged')], is, manifests: [packaged()] });
        expect(accusation(NOT_REPLACED, known)).toBe('stale likely');
      },
    },
    innocent: {
      'a system copied or unpacked as a whole: the list itself then shows it, and no time of installation is known':
        () => {
          const manifests = [packaged({ installedAtNs: null })];
          expect(accusation(NOT_REPLACED, pathCase({ is: at(day(3)), manifests }))).toBeNull();
        },
      'a conffile': () => {
        const manifests = [packaged({ ...installed, editable: true })];
        expect(accusation(NOT_REPLACED, pathCase({ is: at(day(3)), manifests }))).toBeNull();
      },
      'a diversion: expected at the diverted place': () =>
        expect(accusation(NOT_REPLACED, pathCase({ is: at(day(3)), manifests: [] }))).toBeNull(),
    },
  },
  {
    rule: UNTOUCHED,
    accuses: {
      'unpacked with the package, touched by nothing since, and other content': () => {
        const known = pathCase({ is: at(day(16) - SECOND_NS), manifests: [packaged()] });
        expect(accusation(UNTOUCHED, known)).toBe('garbage likely');
      },
    },
    innocent: {
      'edited or replaced later, by hand or by the package’s own scripts: that stamps the inode after the list': () =>
        expect(accusation(UNTOUCHED, pathCase({ is: at(day(16) + SECOND_NS), manifests: [packaged()] }))).toBeNull(),
      'a system copied or unpacked as a whole: no time of installation is known': () => {
        const manifests = [packaged({ installedAtNs: null })];
        expect(accusation(UNTOUCHED, pathCase({ is: at(day(16)), manifests }))).toBeNull();
      },
      'the newest generation has it like this too, and knows the window’s end': () => {
        const is = at(day(16) - SECOND_NS);
        expect(accusation(UNTOUCHED, pathCase({ was: [is], is, manifests: [packaged()] }))).toBeNull();
      },
    },
  },
  {
    rule: DIFFERS,
    accuses: {
      'other content than the manifest’s': () =>
        expect(accusation(DIFFERS, pathCase({ is: at(day(22)), manifests: [packaged()] }))).toBe('altered likely'),
    },
    innocent: {
      'edited by an administrator or replaced by another program: `altered`': () => {
        expect(accusation(DIFFERS, pathCase({ is: at(day(22)), manifests: [packaged()] }))).toBe('altered likely');
        const other = manifest(file(1, 'other'), { reference: 'list' });
        expect(accusation(DIFFERS, pathCase({ is: at(day(22)), manifests: [packaged(), other] }))).toBeNull();
      },
      'a conffile': () => {
        const manifests = [packaged({ ...installed, editable: true })];
        expect(accusation(DIFFERS, pathCase({ is: at(day(22)), manifests }))).toBeNull();
      },
    },
  },
  {
    rule: GONE,
    accuses: {
      'the directory has not changed since the unpacking': () => {
        const parent = parentCase([], directory(15));
        expect(accusation(GONE, pathCase({ is: null, manifests: [packaged()], parent }))).toBe('missing likely');
      },
      'the directory above is missing beyond doubt': () => {
        const above = findingOf('gone', { verdict: 'missing', confidence: 'proven' });
        expect(accusation(GONE, pathCase({ is: null, manifests: [packaged()], above }))).toBe('missing likely');
      },
    },
    innocent: {
      'deleted by hand or by another program: stamps the directory, `possible` unless losses are beyond doubt': () => {
        const parent = parentCase([], directory(22));
        expect(accusation(GONE, pathCase({ is: null, manifests: [packaged()], parent }))).toBe('missing possible');
      },
      'path-exclude of dpkg: not expected': () => {
        const parent = parentCase([], directory(15));
        expect(accusation(GONE, pathCase({ is: null, manifests: [], parent }))).toBeNull();
      },
      'deleted in the window, by a log that tells of every change of it (the list of the package is of an older day): exempt':
        () => {
          const above = findingOf('gone', { verdict: 'missing', confidence: 'proven' });
          const log = { fromNs: day(1), toNs: day(20), holes: 0, isUndisturbed: true, differs: false };
          const parts = { was: [file(5, 'a')], is: null, manifests: [packaged()], above };
          expect(accusation(GONE, pathCase({ ...parts, log }))).toBeNull();
          expect(accusation(GONE, pathCase({ ...parts, log: { ...log, fromNs: day(16) } }))).toBe('missing likely');
          const differs = { ...log, differs: true };
          expect(accusation(GONE, pathCase({ ...parts, log: differs, logged: loggedAs(file(16, 'a')) }))).toBe(
            'missing likely',
          );
        },
    },
  },
  {
    rule: LEFT_OUT,
    accuses: {
      'documentation is gone': () => {
        const known = pathCase({ path: '/usr/share/doc/fern/README', is: null, manifests: [packaged()] });
        expect(accusation(LEFT_OUT, known)).toBe('missing possible');
      },
    },
    innocent: {
      'deleted to save space (documentation, manuals, translations)': () => {
        for (const path of ['/usr/share/doc/a', '/usr/share/man/man1/a.1.gz', '/usr/share/locale/de/a.mo']) {
          const known = pathCase({ path, is: null, manifests: [packaged()], parent: parentCase([], directory(15)) });
          expect(accusation(LEFT_OUT, known)).toBe('missing possible');
          expect(accusation(GONE, known)).toBeNull();
        }
      },
      'a conffile that an administrator deleted': () => {
        const manifests = [packaged({ ...installed, editable: true })];
        expect(accusation(LEFT_OUT, pathCase({ is: null, manifests }))).toBe('missing possible');
      },
      'the baseline already lacked it': () =>
        expect(accusation(LEFT_OUT, pathCase({ was: [null], is: null, manifests: [packaged()] }))).toBe(
          'missing possible',
        ),
    },
  },
];
