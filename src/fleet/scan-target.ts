// The scan of one target of a sweep: a plain function of its options. It runs in a process of its own today, and can run on
// another host as it is.

import { DamageError, ReadError, UnsupportedError, UsageError } from '../errors.ts';
import { renderJson } from '../report/json.ts';
import { type ScannedFacts, scannedFacts } from '../report/swept-target.ts';
import type { RunHooks, ScanOptions } from '../run/options.ts';
import { scan } from '../run.ts';
import { writeSynced } from './report-files.ts';

/** Plain data: it crosses processes. */
export interface TargetTask {
  readonly options: ScanOptions;
  /** Where the whole report is to be written. */
  readonly reportFile: string;
}

export type TargetAnswer =
  | { readonly kind: 'scanned'; readonly facts: ScannedFacts }
  /** The report does not count; what was read is kept in the run's records. */
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * Scans the target and writes its report. What was read stays in the records of the run: whoever counts the report as done
 * removes them. Never throws for what is the target's fault.
 */
export async function scanTarget(task: TargetTask, hooks: RunHooks): Promise<TargetAnswer> {
  try {
    const outcome = await scan(task.options, hooks);
    try {
      if (hooks.signal.aborted && !outcome.report.run.complete) return { kind: 'interrupted' };
      await writeSynced(task.reportFile, renderJson(outcome.report));
      return { kind: 'scanned', facts: scannedFacts(outcome.report) };
    } finally {
      outcome.close(true);
    }
  } catch (error) {
    return { kind: 'failed', reason: reasonOf(error) };
  }
}

const ANSWERS = [UsageError, UnsupportedError, ReadError, DamageError];

/** A bug in one target's scan must not end the others': it is told as what it is. */
function reasonOf(error: unknown): string {
  if (ANSWERS.some(answer => error instanceof answer)) return (error as Error).message;
  const told = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return `${told} (this is a bug in lostwrite; please report it)`;
}
