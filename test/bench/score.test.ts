// The scoring of accuracy, on truths and reports written by hand.

import { describe, expect, it } from 'vitest';
import type { ScoredFinding, ScoredTruth } from '../../bench/accuracy/score.ts';
import { addScores, overall, precision, recall, score } from '../../bench/accuracy/score.ts';
import type { TruthPath } from '../../fixtures/incident/truth.ts';

function base64(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('base64');
}

function damaged(path: string, more: Partial<TruthPath> = {}): TruthPath {
  const stale: TruthPath = {
    path,
    pathBase64: base64(path),
    type: 'file',
    verdict: 'stale',
    metadataOnly: false,
    ranges: [],
  };
  return { ...stale, ...more };
}

function finding(path: string, more: Partial<ScoredFinding> = {}): ScoredFinding {
  return { path, verdict: 'stale', confidence: 'likely', ...more };
}

function truth(...paths: TruthPath[]): ScoredTruth {
  return { paths, ignored: [base64('/ignored')], undamaged: 10 };
}

describe('score', () => {
  it('counts a damaged path that is reported, and its right verdict', () => {
    const result = score(truth(damaged('/a')), { findings: [finding('/a')] });
    expect(result.content).toEqual({ damaged: 1, found: 1, falseAlarms: 0 });
    expect(result.rightClass).toBe(1);
    expect(result.classes).toEqual({ 'stale>stale': 1 });
    expect(result.byVerdict).toEqual({ stale: { damaged: 1, found: 1 } });
    expect(result.misses).toEqual([]);
  });

  it('counts a report of another verdict as found, but not as right', () => {
    const result = score(truth(damaged('/a')), { findings: [finding('/a', { verdict: 'garbage' })] });
    expect(result.content.found).toBe(1);
    expect(result.rightClass).toBe(0);
    expect(result.classes).toEqual({ 'stale>garbage': 1 });
  });

  it.each([
    ['a possible verdict', { confidence: 'possible' }, 'stale/possible'],
    ['altered', { verdict: 'altered' }, 'altered/likely'],
    ['suspect', { verdict: 'suspect', confidence: 'proven' }, 'suspect/proven'],
  ] as const)('takes %s for a hint, not for a report', (_name, more, hint) => {
    const result = score(truth(damaged('/a')), { findings: [finding('/a', more)] });
    expect(result.content).toEqual({ damaged: 1, found: 0, falseAlarms: 0 });
    expect(result.suspects).toEqual({ unreported: 1, listed: 1 });
    expect(result.misses).toEqual([{ path: '/a', verdict: 'stale', metadataOnly: false, hint }]);
  });

  it('counts files with wrong bytes by themselves: neither names, nor times, nor directories', () => {
    const paths = [
      damaged('/file'),
      damaged('/unseen', { verdict: 'garbage' }),
      damaged('/times', { metadataOnly: true }),
      damaged('/gone', { verdict: 'missing' }),
      damaged('/link', { type: 'symlink' }),
    ];
    const findings = [
      finding('/file', { type: 'file' }),
      finding('/gone', { verdict: 'missing', type: 'file' }),
      finding('/wrongly', { type: 'file' }),
      finding('/wrongly-missing', { verdict: 'missing', type: 'file' }),
      finding('/wrongly-old', { metadataOnly: true, type: 'file' }),
    ];
    const { contentFiles } = score(truth(...paths), { findings });
    expect(contentFiles).toEqual({ damaged: 2, found: 1, falseAlarms: 1 });
  });

  it('counts undamaged paths that are listed as suspect', () => {
    const [looked, others] = [finding('/b', { verdict: 'suspect', confidence: 'possible' }), finding('/c')];
    const { undamaged } = score(truth(damaged('/a')), { findings: [finding('/a'), looked, others] });
    expect(undamaged).toEqual({ paths: 10, suspects: 1 });
  });

  it('lists a miss without a hint, and no missing path among the suspects', () => {
    const result = score(truth(damaged('/a'), damaged('/b', { verdict: 'missing' })), { findings: [] });
    expect(result.suspects).toEqual({ unreported: 1, listed: 0 });
    expect(result.misses.map(({ path, hint }) => [path, hint])).toEqual([
      ['/a', null],
      ['/b', null],
    ]);
  });

  it('counts a report of an undamaged path as a false alarm, and a proven one as proven wrong', () => {
    const report = { findings: [finding('/x'), finding('/y', { confidence: 'proven' })] };
    const result = score(truth(), report);
    expect(result.content.falseAlarms).toBe(2);
    expect(result.provenWrong).toBe(1);
    expect(result.falseAlarms).toEqual([
      { path: '/x', verdict: 'stale', confidence: 'likely' },
      { path: '/y', verdict: 'stale', confidence: 'proven' },
    ]);
  });

  it('accuses nobody for hints on undamaged paths', () => {
    const report = { findings: [finding('/x', { verdict: 'suspect' }), finding('/y', { confidence: 'possible' })] };
    expect(score(truth(), report).falseAlarms).toEqual([]);
  });

  it('leaves ignored paths out of every count', () => {
    const result = score(truth(damaged('/ignored')), { findings: [finding('/ignored', { confidence: 'proven' })] });
    expect(overall(result)).toEqual({ damaged: 0, found: 0, falseAlarms: 0 });
    expect(result.provenWrong).toBe(0);
  });

  it('keeps damage to metadata apart from damage to content', () => {
    const report = { findings: [finding('/m', { metadataOnly: true }), finding('/x', { metadataOnly: true })] };
    const result = score(truth(damaged('/m', { metadataOnly: true }), damaged('/c')), report);
    expect(result.metadataOnly).toEqual({ damaged: 1, found: 1, falseAlarms: 1 });
    expect(result.content).toEqual({ damaged: 1, found: 0, falseAlarms: 0 });
    expect(overall(result)).toEqual({ damaged: 2, found: 1, falseAlarms: 1 });
    expect(result.byVerdict).toEqual({ stale: { damaged: 1, found: 0 } });
  });

  it('counts a directory whose times alone went back neither as a miss nor as a false alarm', () => {
    const known = truth(damaged('/d', { type: 'directory', metadataOnly: true }));
    for (const findings of [[], [finding('/d')]]) {
      expect(overall(score(known, { findings }))).toEqual({ damaged: 0, found: 0, falseAlarms: 0 });
    }
  });

  it('takes a report of an undamaged directory for a false alarm', () => {
    expect(score(truth(), { findings: [finding('/d')] }).content.falseAlarms).toBe(1);
  });

  it('calls ranges exact when they are the same once adjoining ones are merged', () => {
    const ranges = [
      { offset: 0, length: 4096, state: 'zero' },
      { offset: 4096, length: 100, state: 'stale' },
    ] as const;
    const known = truth(damaged('/a', { ranges }), damaged('/b', { ranges }), damaged('/c'));
    const findings = [
      finding('/a', { ranges: [{ offset: 0, length: 4196 }] }),
      finding('/b', { ranges: [{ offset: 0, length: 4096 }] }),
      finding('/c', { ranges: [{ offset: 0, length: 1 }] }),
    ];
    expect(score(known, { findings }).ranges).toEqual({ partly: 2, exact: 1 });
  });

  it('knows a path by its bytes', () => {
    const known = truth(
      damaged('/n\ufffd', { pathBase64: base64('/n\xff') }),
      damaged('/\xe9', { pathBase64: base64('/\xc3\xa9') }),
    );
    const findings = [finding('/n\ufffd', { pathBase64: base64('/n\xff') }), finding('/\xe9')];
    expect(score(known, { findings }).content).toEqual({ damaged: 2, found: 2, falseAlarms: 0 });
  });
});

describe('pooled scores', () => {
  const one = score(truth(damaged('/a'), damaged('/b')), { findings: [finding('/a')] });
  const other = score(truth(damaged('/a', { verdict: 'garbage' })), { findings: [finding('/a'), finding('/x')] });

  it('add up', () => {
    const sum = addScores(one, other);
    expect(sum.content).toEqual({ damaged: 3, found: 2, falseAlarms: 1 });
    expect(sum.classes).toEqual({ 'stale>stale': 1, 'garbage>stale': 1 });
    expect(sum.byVerdict).toEqual({ stale: { damaged: 2, found: 1 }, garbage: { damaged: 1, found: 1 } });
    expect(sum.misses.map(({ path }) => path)).toEqual(['/b']);
    expect(sum.falseAlarms.map(({ path }) => path)).toEqual(['/x']);
  });

  it('have a precision and a recall', () => {
    const tally = overall(addScores(one, other));
    expect(precision(tally)).toBe(2 / 3);
    expect(recall(tally)).toBe(2 / 3);
  });

  it('have neither where nothing was reported or damaged', () => {
    const none = overall(score(truth(), { findings: [] }));
    expect(precision(none)).toBeNull();
    expect(recall(none)).toBeNull();
  });
});
