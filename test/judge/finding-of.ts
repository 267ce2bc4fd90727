// A finding as judgePath makes it, in few words.

import type { Finding } from '../../src/model.ts';

/** @param rule of its first evidence. */
export function findingOf(rule: string, parts: Partial<Finding> & { readonly scanner?: string } = {}): Finding {
  const { scanner = 'baseline', ...others } = parts;
  return {
    volume: 0,
    path: '/d',
    type: 'file',
    verdict: 'stale',
    confidence: 'possible',
    metadataOnly: false,
    window: { file: 'unknown', directory: 'unknown' },
    ranges: [],
    expected: null,
    observed: null,
    owner: null,
    evidence: [{ scanner, rule, supports: true, detail: 'why' }],
    causePath: null,
    foundAt: null,
    recoverable: null,
    remedy: null,
    ...others,
  };
}
