// Between nanoseconds since 1970 and RFC 3339 text in UTC. Exact: no floating point touches a nanosecond.

import type { Nanoseconds } from '../model.ts';

const NS_PER_SECOND = 1_000_000_000n;
/** RFC 3339 knows the years 0000 to 9999. */
const FIRST_SECOND = -62_167_219_200n;
const LAST_SECOND = 253_402_300_799n;

/**
 * `2014-06-01T02:00:00.000000001Z`: up to nine digits, no trailing zeros. Null for a time that RFC 3339 cannot write (a damaged
 * inode may claim the year 100000).
 */
export function rfc3339(timeNs: Nanoseconds): string | null {
  const remainder = timeNs % NS_PER_SECOND;
  const fractionNs = remainder < 0n ? remainder + NS_PER_SECOND : remainder;
  const seconds = (timeNs - fractionNs) / NS_PER_SECOND;
  if (seconds < FIRST_SECOND || seconds > LAST_SECOND) return null;
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${whole}${fractionText(fractionNs)}Z`;
}

function fractionText(fractionNs: bigint): string {
  if (fractionNs === 0n) return '';
  return `.${String(fractionNs).padStart(9, '0').replace(/0+$/, '')}`;
}

/** For people: `2014-06-01 02:00:00 UTC`, the fraction only where there is one. */
export function timeForPeople(timeNs: Nanoseconds): string {
  const text = rfc3339(timeNs);
  return text === null ? 'a time beyond the year 9999' : `${text.slice(0, -1).replace('T', ' ')} UTC`;
}
