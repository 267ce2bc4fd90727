// What somebody suspects of places on the disk, on top of what is known of a path there.

import { describe, expect, it } from 'vitest';
import { judgePath, withSuspectExtents } from '../../src/judge/judge-path.ts';
import { type CaseParts, directory, file, manifest, pathCase } from './path-case-of.ts';

const EXTENT = { offset: 8_388_608, length: 4_194_304 };

function told(parts: CaseParts, suspects = [EXTENT]): string | null {
  const known = pathCase({ window: null, ...parts });
  const { finding } = withSuspectExtents(known, judgePath(known), suspects);
  return finding === null
    ? null
    : `${finding.verdict} ${finding.confidence} ${finding.evidence.map(({ rule }) => rule)}`;
}

describe('a path with blocks in a suspect extent', () => {
  it('is suspect, with the extent as the reason', () => {
    const known = pathCase({ is: file(21, 'a'), window: null });
    const { finding } = withSuspectExtents(known, judgePath(known), [EXTENT, { offset: 0, length: 512 }]);
    expect(finding).toMatchObject({ verdict: 'suspect', confidence: 'possible' });
    expect(finding?.evidence).toEqual([
      {
        scanner: 'extents',
        rule: 'in-suspect-extent',
        supports: true,
        detail: 'Some of its blocks lie in the suspect extent of 4194304 bytes at 8388608, and in 1 more.',
      },
    ]);
  });

  it('is not when a reference vouches for it, nor when no extent holds anything of it', () => {
    const is = file(21, 'a');
    expect(told({ is, manifests: [manifest(is)] })).toBe(null);
    expect(told({ is }, [])).toBe(null);
  });

  it('is not when it is a directory: the report’s extents name it', () => {
    expect(told({ is: directory(21) })).toBe(null);
  });

  it('keeps its finding, with one more line of evidence', () => {
    const parts = { was: [file(20, 'a')], is: file(20, 'b') };
    const alone = judgePath(pathCase({ window: null, ...parts })).finding;
    expect(told(parts)).toBe(
      `${alone?.verdict} ${alone?.confidence} ${alone?.evidence.map(({ rule }) => rule)},in-suspect-extent`,
    );
  });
});
