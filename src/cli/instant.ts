// Points in time as people type them: ISO 8601 dates, with time and zone if they like. Exact to the nanosecond.

import { UsageError } from '../errors.ts';
import type { Nanoseconds, Window } from '../model.ts';

/** A day for a date alone, else one instant. Both ends belong to it. */
export interface Span {
  readonly fromNs: Nanoseconds;
  readonly toNs: Nanoseconds;
}

const DAY_NS = 86_400_000_000_000n;
const MS_NS = 1_000_000n;

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const DATE_TIME =
  /^(\d{4}-\d\d-\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:([Zz])|([+-])(\d\d):?(\d\d)?)?$/;

const EXPECTED = 'expected a date such as 2014-06-02 or a time such as 2014-06-02T03:04:05+02:00';

/**
 * A date alone is the whole day in UTC; a time without a zone is UTC. UsageError, naming `option`, for anything else.
 */
export function parseSpan(text: string, option: string): Span {
  const day = dayStartNs(text);
  if (day !== null) return { fromNs: day, toNs: day + DAY_NS - 1n };
  const instant = instantNs(text);
  if (instant !== null) return { fromNs: instant, toNs: instant };
  throw new UsageError(`${option}: "${text}" is no time: ${EXPECTED}`);
}

function dayStartNs(text: string): bigint | null {
  const match = DATE.exec(text);
  if (match === null) return null;
  const [year = 0, month = 0, day = 0] = match.slice(1).map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return exists ? BigInt(date.getTime()) * MS_NS : null;
}

function instantNs(text: string): bigint | null {
  const match = DATE_TIME.exec(text);
  if (match === null) return null;
  const [, date = '', hour, minute, second = '0', fraction = '', , sign, zoneHour = '0', zoneMinute = '0'] = match;
  const day = dayStartNs(date);
  const time = secondsOf(Number(hour), Number(minute), Number(second));
  const zone = secondsOf(Number(zoneHour), Number(zoneMinute), 0);
  if (day === null || time === null || zone === null) return null;
  const offset = sign === '-' ? -zone : zone;
  return day + BigInt(time - offset) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
}

function secondsOf(hours: number, minutes: number, seconds: number): number | null {
  return hours < 24 && minutes < 60 && seconds < 60 ? (hours * 60 + minutes) * 60 + seconds : null;
}

/** `FROM..TO`, either end open; a date alone is that day. UsageError when it says nothing or ends before it begins. */
export function parseWindow(text: string): Window {
  const ends = text.split('..');
  const [from = '', to] = ends;
  if (to === undefined) return dayWindow(text);
  if (ends.length > 2) throw new UsageError(`--window: "${text}" has more than two ends`);
  if (from === '' && to === '') throw new UsageError('--window: both ends are open; name at least one');
  const window = {
    fromNs: from === '' ? null : parseSpan(from, '--window').fromNs,
    toNs: to === '' ? null : parseSpan(to, '--window').toNs,
  };
  if (window.fromNs !== null && window.toNs !== null && window.fromNs > window.toNs)
    throw new UsageError(`--window: ${text} ends before it begins`);
  return window;
}

function dayWindow(text: string): Window {
  const span = parseSpan(text, '--window');
  if (span.fromNs !== span.toNs) return span;
  throw new UsageError(`--window: "${text}" is one instant: give FROM..TO, either end may be open`);
}
