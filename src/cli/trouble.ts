// What a person reads when something went wrong: one line for trouble that is an answer, a plea for a report for a bug.

import { DamageError, errorCode, ReadError, UnsupportedError, UsageError, wordsOfCode } from '../errors.ts';
import { printableText } from '../report/printable.ts';

const ANSWERS = [UsageError, UnsupportedError, ReadError, DamageError];

/** Lines for standard error, without line ends. A stack trace only of a bug, and only when `verbose`. */
export function troubleLines(error: unknown, verbose: boolean): string[] {
  if (ANSWERS.some(answer => error instanceof answer)) return [`lostwrite: ${messageOf(error)}`];
  const bug = [
    `lostwrite: ${messageOf(error)}`,
    'lostwrite: this is a bug in lostwrite; please report it with the command and what --verbose prints',
  ];
  const stack = verbose && error instanceof Error ? (error.stack ?? '') : '';
  return stack === '' ? bug : [...bug, ...stack.split('\n').map(printableText)];
}

/** Whoever throws quotes names as they are. A backslash stays single: most messages hold no name that has one. */
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/[^\\]+/g, printableText);
}

/** The system's refusal in words. Whatever carries no system code is a bug, and thrown on. */
export function failureWords(error: unknown): string {
  const code = errorCode(error);
  if (code === null) throw error;
  return wordsOfCode(code);
}
