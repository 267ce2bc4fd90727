// The words of the summary: what a verdict means to somebody who has read nothing, spans of time.

import { figure } from '../figures.ts';
import type { Finding, Remedy, SkipReason, Verdict, Window } from '../model.ts';
import { timeForPeople } from './time.ts';

/** What is the matter with these paths, in few words: a table of 80 columns holds them. */
export const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  unreadable: 'disk or metadata refuses the bytes',
  garbage: 'holds bytes that never were its own',
  stale: 'went back to an older state',
  missing: 'should be there, and is not',
  resurrected: 'had been deleted, and is back',
  altered: 'differs: damage, or a later change?',
  suspect: 'at risk, and nothing could check it',
};

/** What to do where a finding carries no remedy of its own. */
export const VERDICT_ADVICE: Readonly<Record<Verdict, string>> = {
  unreadable: 'Copy what can be read, then restore it from a backup.',
  garbage: 'Restore it from a backup made before the incident.',
  stale: 'Restore the newer state from a backup, or redo the change.',
  missing: 'Restore it from a backup made before the incident.',
  resurrected: 'Find out whether it was deleted on purpose; if so, delete it again.',
  altered: 'Compare it with a backup; keep it if the change was meant.',
  suspect: 'Look at it.',
};

/** Of an `altered` path something may have changed it on purpose: then its remedy would do harm. */
export const UNLESS_MEANT = 'Unless the change was meant:';

export type Action = Remedy['action'] | 'copy-back';

/** What to do where a finding carries no remedy of its own. */
export function actionOf(finding: Finding): Action {
  if (finding.foundAt !== null) return 'copy-back';
  return finding.remedy?.action ?? (finding.verdict === 'resurrected' ? 'inspect' : 'restore');
}

export const ACTION_WORDS: Readonly<Record<Action, string>> = {
  'copy-back': 'Copy back from where its content was found',
  reinstall: 'Reinstall',
  redeploy: 'Deploy again',
  restore: 'Restore from a backup that has the expected state',
  extract: 'Extract',
  rebuild: 'Rebuild',
  inspect: 'Look at by hand',
};

export const SKIP_WORDS: Readonly<Record<SkipReason, string>> = {
  permission: 'no permission: root may look into these',
  encrypted: 'encrypted',
  unsupported: 'of a kind that lostwrite does not read',
  special: 'devices, sockets, pipes: no content to check',
  excluded: 'left out on request, or another file system mounted there',
  changing: 'changed or vanished while being read',
};

/** Counts as reported damage; the rest are hints. */
export function isReported(finding: Pick<Finding, 'verdict' | 'confidence'>): boolean {
  return finding.verdict !== 'altered' && finding.verdict !== 'suspect' && finding.confidence !== 'possible';
}

/** 751000 -> "12 min 31 s" */
export function spanFigure(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (milliseconds < 10_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${figure(Math.floor(minutes / 60))} h ${minutes % 60} min`;
}

const DAY_NS = 86_400_000_000_000n;

/** "2014-06-02 00:00 to 2014-06-07 24:00 UTC", "since …", "until …" */
export function windowForPeople(window: Window): string {
  const from = window.fromNs === null ? null : startText(window.fromNs);
  const to = window.toNs === null ? null : endText(window.toNs);
  if (from !== null && to !== null) return `${from} to ${to} UTC`;
  if (from !== null) return `since ${from} UTC`;
  return to === null ? 'any time' : `until ${to} UTC`;
}

function startText(timeNs: bigint): string {
  const text = timeForPeople(timeNs).replace(/ UTC$/, '');
  return timeNs % DAY_NS === 0n ? text.replace(/:00$/, '') : text;
}

/** The last nanosecond of a day reads as 24:00 of that day. */
function endText(timeNs: bigint): string {
  const text = startText(timeNs);
  return (timeNs + 1n) % DAY_NS === 0n ? `${text.slice(0, 'yyyy-mm-dd'.length)} 24:00` : text;
}
