// How long one target may take.

import { UsageError } from '../errors.ts';

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** What setTimeout can wait for at most. */
const LONGEST_MS = 2 ** 31 - 1;

/** Only what hangs takes a day. */
const DEFAULT = '1d';

/** `30s`, `90m`, `6h`, `1d`, up to 24 days; null: a day. UsageError for anything else. */
export function parseTimeLimit(given: string | null): number {
  const text = given ?? DEFAULT;
  const [, number = '', unit = ''] = /^(\d{1,7}(?:\.\d{1,3})?)([smhd])$/.exec(text) ?? [];
  const milliseconds = Math.round(Number(number) * (UNITS[unit] ?? 0));
  if (milliseconds < 1 || milliseconds > LONGEST_MS)
    throw new UsageError(`"${text}" is no time limit: expected a time such as 30s, 90m, 6h or 1d, up to 24d`);
  return milliseconds;
}

/** 5400000 -> "90 m", in the largest unit that leaves a whole number. */
export function spanText(milliseconds: number): string {
  const unit = ['d', 'h', 'm'].find(each => milliseconds % (UNITS[each] ?? 1) === 0) ?? 's';
  return `${milliseconds / (UNITS[unit] ?? 1)} ${unit}`;
}
