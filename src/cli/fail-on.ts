// --fail-on: which findings make the exit code 1.

import { UsageError } from '../errors.ts';
import { CONFIDENCES, VERDICTS } from '../model.ts';
import type { FailOn } from '../run/options.ts';

export const DEFAULT_FAIL_ON =
  'unreadable:possible,garbage:likely,stale:likely,missing:likely,resurrected:likely,altered:likely';

/** A comma-separated list of VERDICT[:CONFIDENCE]; without a confidence any will do; `none` is the empty list. */
export function parseFailOn(text: string): FailOn[] {
  return text.trim() === 'none' ? [] : text.split(',').map(parseOne);
}

function parseOne(text: string): FailOn {
  const [verdictText = '', confidenceText = 'possible', ...rest] = text.trim().split(':');
  const verdict = VERDICTS.find(name => name === verdictText);
  const confidence = CONFIDENCES.find(name => name === confidenceText);
  if (verdict === undefined) throw wrong(text, `no such verdict; there are ${VERDICTS.join(', ')}`);
  if (confidence === undefined || rest.length > 0) throw wrong(text, `a confidence is ${CONFIDENCES.join(', ')}`);
  return { verdict, confidence };
}

function wrong(text: string, why: string): UsageError {
  return new UsageError(`--fail-on: "${text.trim()}": ${why}`);
}
