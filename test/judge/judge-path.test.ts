// One path, one finding: precedence, vouching, suspicion.

import { describe, expect, it } from 'vitest';
import { judgePath } from '../../src/judge/judge-path.ts';
import { type NewestByLog, UNKNOWN_TO_LOG } from '../../src/judge/path-case.ts';
import { blockWitness } from './block-witness-of.ts';
import {
  type CaseParts,
  day,
  directory,
  fault,
  file,
  LATE_WINDOW,
  loggedAs,
  manifest,
  parentCase,
  pathCase,
  type State,
  seenOf,
} from './path-case-of.ts';

const quiet = parentCase([], directory(3));

function says(parts: Parameters<typeof pathCase>[0]): string | null {
  const { finding } = judgePath(pathCase(parts));
  if (finding === null) return null;
  return `${finding.verdict}${finding.metadataOnly ? ' metadata' : ''} ${finding.confidence}`;
}

const vouchers = (parts: Parameters<typeof pathCase>[0]) => judgePath(pathCase(parts)).vouchers;

describe('of several charges', () => {
  it('the best confidence wins', () => {
    const was = [file(5, 'a b'), file(16, 'c d')];
    const { finding } = judgePath(pathCase({ was, is: file(5, 'a b') }));
    expect(finding?.evidence.map(({ rule }) => rule)).toEqual(['changed-under-unchanged-inode', 'older-content']);
    expect(finding?.confidence).toBe('proven');
  });

  it('at equal confidence the order of the verdicts', () => {
    const seen = seenOf(file(16, 'a x'), { direntType: 'directory' });
    expect(says({ was: [file(5, 'a'), null], seen })).toBe('resurrected likely');
    const refused = seenOf(file(16, 'a x'), { fault: fault('unreadable') });
    expect(says({ was: [file(16, 'a b')], seen: refused })).toBe('unreadable proven');
  });

  it('content goes before metadata', () => {
    const is = file(16, 'a x', { stat: { mode: 0o600 } });
    expect(says({ was: [file(16, 'a b')], is })).toBe('garbage proven');
    expect(says({ was: [file(16, 'a b')], is: file(16, 'a b', { stat: { mode: 0o600 } }) })).toBe(
      'stale metadata proven',
    );
  });

  it('hints are left out once something is known, and stand together where nothing is', () => {
    const is = file(22, 'c x', { stat: { mtimeNs: day(16) } });
    const { finding } = judgePath(pathCase({ was: [file(16, 'c d')], is }));
    expect(finding?.evidence.map(({ rule }) => rule)).toEqual([
      'changed-under-unchanged-mtime',
      'differs-from-baseline',
    ]);
  });

  it('a manifest that wins takes its ranges from blocks that agree', () => {
    const { finding } = judgePath(
      pathCase({
        was: [file(16, 'a b')],
        is: file(16, 'a x'),
        capturedNs: day(16),
        manifests: [manifest(file(1, 'a b'), { installedAtNs: day(16) })],
      }),
    );
    expect(finding?.evidence[0]?.rule).toBe('untouched-since-unpacked');
    expect(finding?.ranges.map(({ offset, length }) => [offset, length])).toEqual([[4096, 4096]]);
  });
});

describe('what vouches', () => {
  it('is a generation of after the window', () => {
    expect(vouchers({ was: [file(5, 'a')], is: file(5, 'a') })).toEqual(['g1']);
    expect(says({ was: [file(16, 'a')], is: file(16, 'a') })).toBeNull();
  });

  it('is no generation of before the window’s end', () => {
    expect(vouchers({ was: [file(16, 'a')], is: file(16, 'a'), window: LATE_WINDOW })).toEqual([]);
    expect(vouchers({ was: [file(16, 'a')], is: file(16, 'a'), window: { fromNs: day(15), toNs: null } })).toEqual([]);
  });

  it('is any generation where no window is given', () => {
    expect(vouchers({ was: [file(16, 'a')], is: file(16, 'a'), window: null })).toEqual(['g1']);
  });

  it('is a manifest; an editable one only without a window', () => {
    const is = file(16, 'a');
    const editable = manifest(file(1, 'a'), { editable: true });
    expect(vouchers({ is, manifests: [manifest(file(1, 'a'))] })).toEqual(['dpkg']);
    expect(vouchers({ is, manifests: [editable] })).toEqual([]);
    expect(vouchers({ is, manifests: [editable], window: null })).toEqual(['dpkg']);
  });

  it('is a git object or a pack by its own name, not one that is whole, of whichever day', () => {
    const own = { scanner: 'git-objects', path: '/d/f', supports: false, detail: '', ranges: [] };
    const vouchersBy = (rule: string) => vouchers({ is: file(16, 'a'), observations: [{ ...own, rule }] });
    expect(vouchersBy('object-name-matches')).toEqual(['git']);
    expect(vouchersBy('checksum-matches')).toEqual(['git']);
    expect(vouchersBy('whole-of-some-day')).toEqual([]);
  });

  it('silences hints, not witnesses of the inode', () => {
    const manifests = [manifest(file(1, 'x y'))];
    expect(says({ was: [file(16, 'a b')], is: file(22, 'x y'), manifests })).toBeNull();
    expect(says({ was: [file(16, 'a b')], is: file(16, 'x y'), manifests })).toBe('garbage proven');
  });
});

describe('a log that holds every change of the window', () => {
  const log = { fromNs: day(14), toNs: day(26), holes: 0, isUndisturbed: true, differs: false };

  it('silences hints that a name is gone or another one', () => {
    const gone = { was: [file(3, 'a')], is: null, window: LATE_WINDOW };
    expect(says(gone)).toBe('missing possible');
    expect(says({ ...gone, log })).toBeNull();
    expect(says({ ...gone, log: { ...log, fromNs: day(16) } })).toBe('missing possible');
  });

  it('says so of a name that it has itself, where it has others otherwise', () => {
    const gone = { was: [file(3, 'a')], is: null, window: LATE_WINDOW, log: { ...log, differs: true } };
    const parent = parentCase([directory(3)], directory(25), { logged: loggedAs(directory(25)) });
    expect(says({ ...gone, parent })).toBeNull();
    expect(says(gone)).toBe('missing possible');
  });

  it('does not silence what is beyond doubt without it', () => {
    const parent = parentCase([directory(16)], directory(16));
    const gone = { was: [file(3, 'a')], is: null, parent };
    expect(says({ ...gone, log })).toBe('missing proven');
  });
});

describe('suspicion', () => {
  it('falls on files and links that are at risk and that nothing vouches for', () => {
    expect(says({ is: file(16, 'a'), parent: quiet })).toBe('suspect possible');
    expect(says({ is: file(22, 'a'), parent: quiet })).toBe('suspect possible');
    expect(says({ is: file(16, '', { linkTarget: 'there' }), parent: quiet })).toBe('suspect possible');
  });

  it('falls on directories of the generation that may stand under a name of an older day', () => {
    const was = [directory(3)];
    const named = (changed: number) => parentCase([directory(3)], directory(changed), { window: LATE_WINDOW });
    expect(says({ was, is: directory(3), parent: named(16), window: LATE_WINDOW })).toBe('suspect possible');
    expect(says({ was, is: directory(16), parent: named(3), window: LATE_WINDOW })).toBeNull();
    expect(says({ is: directory(16), parent: named(16) })).toBeNull();
  });

  it('falls on content that was written, and on nothing more, where the log holds every change of the window', () => {
    const log = { fromNs: day(14), toNs: day(26), holes: 0, isUndisturbed: true, differs: false };
    const changed = parentCase([], directory(16));
    const cases = [file(16, 'a'), file(3, 'a'), file(16, '', { linkTarget: 'there' })];
    const judged = (parts: object) => cases.map(is => says({ is, parent: changed, ...parts }));
    expect(judged({ log })).toEqual(['suspect possible', null, null]);
    for (const less of [{ fromNs: day(16) }, { holes: 1 }]) {
      expect(judged({ log: { ...log, ...less } })).toEqual(cases.map(() => 'suspect possible'));
    }
  });

  describe('where the log has forgotten the window’s begin', () => {
    const log = { fromNs: day(16), toNs: day(18), holes: 0, isUndisturbed: true, differs: true };
    const isNewest = { inode: 'in-place', names: false } as const;
    const isLogged = { inode: 'in-log', names: false } as const;
    const root = (newest: NewestByLog = UNKNOWN_TO_LOG) => parentCase([], directory(16), { path: '/', newest, log });
    const changed = (newest: NewestByLog, above = root()) =>
      parentCase([], directory(16), { newest, log, parent: above });
    const unknown = changed(UNKNOWN_TO_LOG);
    const old = file(3, 'a');

    it('spares an inode that was not changed in the window, by its newest copy, below such directories', () => {
      const inRoot = { is: old, parent: root(), log };
      expect(says(inRoot)).toBe('suspect possible');
      expect(says({ ...inRoot, newest: isNewest })).toBeNull();
      expect(says({ ...inRoot, newest: isLogged })).toBe('suspect possible');
      expect(says({ is: old, parent: unknown, log, newest: isNewest })).toBe('suspect possible');
      const held = parentCase([], directory(3), { newest: isNewest, log, parent: root() });
      expect(says({ is: old, parent: held, log, newest: isNewest })).toBeNull();
    });

    it('spares nothing where there is no log, or one that goes on behind the window', () => {
      const spared = { is: old, parent: root(), newest: isNewest };
      expect(says({ ...spared, log: { ...log, toNs: day(19) } })).toBe('suspect possible');
      expect(says({ ...spared, log: null })).toBe('suspect possible');
    });

    it('spares names that the newest copy of their directory has as well', () => {
      const whole = { inode: 'in-place', names: true } as const;
      const below = { ...changed(whole, root(whole)), logged: loggedAs(directory(16)) };
      expect(says({ is: old, parent: below, log, logged: loggedAs(old) })).toBeNull();
      expect(says({ is: old, parent: unknown, log, logged: loggedAs(old) })).toBe('suspect possible');
    });

    it('spares what lies in a block of inodes that was written since the backup', () => {
      const at = (isInodeRewritten: boolean) => [blockWitness('unchanged unchanged', { isInodeRewritten })];
      expect(says({ is: old, parent: root(), log, blocks: at(true) })).toBeNull();
      expect(says({ is: old, parent: root(), log, blocks: at(false) })).toBe('suspect possible');
    });

    it('spares what was renamed or changed in mode alone, and empty files', () => {
      const whole = { inode: 'in-place', names: true } as const;
      const above = { ...root(whole), logged: loggedAs(directory(16)) };
      const stamped = file(16, 'a b', { stat: { mtimeNs: day(3) } });
      const unwritten = { sizeBytes: 8192, mtimeNs: day(3), ctimeNs: day(3) };
      const judge = (is: State, states: string, parts: CaseParts = {}) =>
        says({
          is,
          parent: above,
          log,
          newest: isNewest,
          logged: loggedAs(is),
          blocks: [blockWitness(states, { formerly: unwritten })],
          ...parts,
        });
      expect(judge(stamped, 'unchanged unchanged')).toBeNull();
      expect(judge(stamped, 'unchanged unchanged', { newest: UNKNOWN_TO_LOG })).toBe('suspect possible');
      expect(judge(stamped, 'unchanged changed')).toBe('suspect possible');
      const inWindow = { ...unwritten, mtimeNs: day(16), ctimeNs: day(16) };
      const late = [blockWitness('unchanged unchanged', { formerly: inWindow })];
      expect(judge(file(16, 'a b', { stat: { ctimeNs: day(17) } }), '', { blocks: late })).toBe('suspect possible');
      expect(judge(file(16, 'a b', { stat: { ctimeNs: day(17) } }), 'unchanged unchanged')).toBe('suspect possible');
      expect(judge(file(16, '', { sizeBytes: 0 }), 'hole')).toBeNull();
      expect(judge(file(16, 'a b'), 'changed landed')).toBe('suspect possible');
    });
  });

  it('falls on nothing else', () => {
    expect(says({ is: file(3, 'a'), parent: quiet })).toBeNull();
    expect(says({ is: file(16, 'a'), parent: quiet, window: null })).toBeNull();
    expect(says({ is: directory(16), parent: quiet })).toBeNull();
    expect(says({ is: file(16, 'a'), parent: quiet, manifests: [manifest(file(1, 'a'))] })).toBeNull();
  });
});

describe('the remedy of a configuration file', () => {
  const command = 'apt-get install --reinstall -o Dpkg::Options::=--force-confmiss fern=1';
  const remedy = { action: 'reinstall', detail: 'Reinstall the package fern 1.', command } as const;
  const manifests = [manifest(file(1, 'a'), { editable: true, remedy })];
  const remedyOf = (parts: Parameters<typeof pathCase>[0]) =>
    judgePath(pathCase({ ...parts, manifests })).finding?.remedy;

  it('is the package’s where the file is missing', () => {
    expect(remedyOf({ was: [file(5, 'a')], is: null, parent: quiet })).toEqual(remedy);
  });

  it('is a comparison where it is there: no command replaces somebody’s work', () => {
    const detail = 'Compare it with the one that the package fern 1 brings.';
    expect(remedyOf({ was: [file(16, 'a b')], is: file(16, 'a x') })).toEqual({
      action: 'inspect',
      detail,
      command: null,
    });
  });

  it('is a backup where it cannot be read', () => {
    const seen = seenOf(file(16, 'a x'), { fault: fault('unreadable') });
    expect(remedyOf({ was: [file(16, 'a b')], seen })).toMatchObject({ action: 'restore', command: null });
  });
});

describe('the remedy of what nothing else can mend', () => {
  const detailOf = (is: ReturnType<typeof file>) =>
    judgePath(pathCase({ was: [file(16, 'a b')], is })).finding?.remedy?.detail;

  it('is a backup of the file where its content is harmed', () => {
    expect(detailOf(file(16, 'a x'))).toBe('Restore it from a backup that has the expected state.');
  });

  it('is a backup of its metadata where only they are old', () => {
    expect(detailOf(file(16, 'a b', { stat: { mode: 0o600 } }))).toBe(
      'Restore its mode, owner and times from a backup that has the expected state.',
    );
  });
});
