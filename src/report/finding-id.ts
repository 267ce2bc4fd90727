// The name of a finding: the same for the same damage in every scan.

import { createHash } from 'node:crypto';
import type { BytePath, Verdict, VolumeFacts } from '../model.ts';

/** 80 bits: a chance collision among a million findings has odds of 1 in 10^12. */
const HEX_DIGITS = 20;

/** First 20 hex digits of SHA-256 over volume UUID (its index where it has none), path bytes and verdict, NUL between. */
export function findingId(volume: string, path: BytePath, verdict: Verdict): string {
  const bytes = Buffer.concat([Buffer.from(`${volume}\0`), Buffer.from(path, 'latin1'), Buffer.from(`\0${verdict}`)]);
  return createHash('sha256').update(bytes).digest('hex').slice(0, HEX_DIGITS);
}

/** What stands for a volume in findingId. */
export function volumeIdentity(volumes: readonly VolumeFacts[], index: number): string {
  return volumes.find(volume => volume.index === index)?.uuid ?? String(index);
}
