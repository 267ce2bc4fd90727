// All targets of a list, each scanned once, whatever becomes of the others or of this process: what is done is kept at once.

import { createHash } from 'node:crypto';
import { UsageError } from '../errors.ts';
import type { Window } from '../model.ts';
import { renderJson } from '../report/json.ts';
import { mergeTargets } from '../report/merge-targets.ts';
import { type SweptTarget, sweptTarget, type WireSweep } from '../report/sweep-schema.ts';
import type { TargetFacts } from '../report/swept-target.ts';
import { rfc3339 } from '../report/time.ts';
import { nowNs } from '../run/now.ts';
import type { ScanOptions } from '../run/options.ts';
import { SweepState } from '../store/sweep-state.ts';
import { failedReport } from './failed-report.ts';
import { isThere, putInPlace, reportFileOf, SUMMARY_FILE, SweepPlaces, writeSynced } from './report-files.ts';
import { ScanProcess } from './scan-process.ts';
import type { TargetAnswer } from './scan-target.ts';
import { TargetQueue } from './target-queue.ts';

/** What of a scan's options the sweep itself decides. */
export type SweptOptions = Omit<ScanOptions, 'store' | 'jobs' | 'resume'>;

export interface TargetToSweep {
  readonly facts: TargetFacts;
  readonly window: Window | null;
  readonly timeLimitMs: number;
  /** Finds the target as it is now. UsageError when it is not there or is nothing that can be scanned. */
  readonly open: () => SweptOptions;
}

export interface SweepPlan {
  /** The list, as it was named. */
  readonly file: string;
  /** Where reports go. */
  readonly directory: string;
  /** Worker threads, all targets together. */
  readonly jobs: number;
  readonly resume: 'auto' | 'never';
  readonly version: string;
  /** In the order in which they are to be scanned. */
  readonly targets: readonly TargetToSweep[];
}

export interface SweepHooks {
  /** One line for a person. */
  readonly onNotice: (line: string) => void;
  /** A target has been dealt with. */
  readonly onTarget: (target: SweptTarget, done: number, all: number) => void;
  /** Aborted by Ctrl-C: what is under way is left for the next time. */
  readonly signal: AbortSignal;
}

/** A target that fails is tried again once: what ailed it may have been its host's. */
const MOST_ATTEMPTS = 2;

/**
 * Scans every target that an earlier sweep into the same directory has not, and merges what all of them gave.
 * UsageError when the directory or the state in it cannot be used; a target that cannot be scanned is a result.
 */
export async function sweep(plan: SweepPlan, hooks: SweepHooks): Promise<WireSweep> {
  const startedAtNs = nowNs();
  const places = new SweepPlaces(plan.directory);
  const state = new SweepState(places.state);
  try {
    const run = new SweepRun(plan, hooks, places, state);
    await run.settleEarlier();
    await run.scanAll();
    const merged = mergeTargets(run.targets());
    const { complete, ...rest } = merged;
    const wire: WireSweep = {
      format: 'lostwrite-sweep',
      version: 1,
      tool: { name: 'lostwrite', version: plan.version },
      run: { startedAt: clockText(startedAtNs), finishedAt: clockText(nowNs()), complete, file: plan.file },
      ...rest,
    };
    const summary = places.report(SUMMARY_FILE);
    await writeSynced(places.staged('summary'), [`${JSON.stringify(wire, null, 1)}\n`]);
    await putInPlace(places.staged('summary'), summary);
    if (!hooks.signal.aborted) state.setEnded(true);
    return wire;
  } finally {
    state.close();
  }
}

interface Item {
  readonly target: TargetToSweep;
  readonly attempts: number;
}

/** A target as it is found now: what is to be done, or why nothing can. */
interface Found {
  readonly key: string;
  readonly options: SweptOptions | null;
  readonly trouble: string | null;
}

class SweepRun {
  readonly #plan: SweepPlan;
  readonly #hooks: SweepHooks;
  readonly #places: SweepPlaces;
  readonly #state: SweepState;
  readonly #results = new Map<string, SweptTarget>();
  #left: Item[] = [];

  constructor(plan: SweepPlan, hooks: SweepHooks, places: SweepPlaces, state: SweepState) {
    this.#plan = plan;
    this.#hooks = hooks;
    this.#places = places;
    this.#state = state;
  }

  /** Takes over what an earlier sweep has done. After one that ended, what failed then gets its chances anew. */
  async settleEarlier(): Promise<void> {
    const keys = new Set<string>();
    const endedBefore = this.#state.hasEnded;
    for (const target of this.#plan.targets) {
      const { key } = found(target, this.#plan.version);
      keys.add(key);
      const known = this.#plan.resume === 'never' ? null : this.#state.of(target.facts.name, key);
      const earlier = known?.result == null ? null : sweptTarget.parse(JSON.parse(known.result));
      const isFailure = earlier === null || earlier.state === 'failed';
      const counts = known !== null && !(endedBefore && isFailure);
      const result = counts && (await this.#isInPlace(earlier, key)) ? earlier : null;
      if (result === null) this.#left.push({ target, attempts: counts && isFailure ? known.attempts : 0 });
      else this.#results.set(target.facts.name, { ...result, ...target.facts });
    }
    this.#places.forgetOthers(this.#plan.resume === 'never' ? new Set() : keys);
    this.#state.setEnded(false);
    this.#sayEarlier();
  }

  /** A kill may have come between the state and the report's last step, or somebody took the report away. */
  async #isInPlace(result: SweptTarget | null, key: string): Promise<boolean> {
    if (result?.report == null) return false;
    const report = this.#places.report(result.report);
    const staged = this.#places.staged(key);
    if (isThere(staged)) await putInPlace(staged, report);
    this.#places.forget(key);
    return isThere(report);
  }

  #sayEarlier(): void {
    const [done, all] = [this.#results.size, this.#plan.targets.length];
    if (done === 0) return;
    this.#hooks.onNotice(`${done} of ${all} targets were scanned before: --resume never scans them again`);
  }

  async scanAll(): Promise<void> {
    const queue = new TargetQueue(this.#left, this.#plan.jobs);
    await Promise.all(Array.from({ length: queue.lanes }, () => this.#lane(queue)));
  }

  async #lane(queue: TargetQueue<Item>): Promise<void> {
    const process = new ScanProcess();
    try {
      while (!this.#hooks.signal.aborted) {
        const next = queue.next();
        if (next === null) return;
        const again = await this.#attempt(next.item, next.jobs, process);
        queue.done();
        if (again !== null) queue.tryAgain(again);
      }
    } finally {
      await process.close();
    }
  }

  /** Gives the target back when it is to be tried again. */
  async #attempt({ target, attempts }: Item, jobs: number, process: ScanProcess): Promise<Item | null> {
    const startedAtNs = nowNs();
    const now = found(target, this.#plan.version);
    const answer = await this.#scan(target, now, jobs, process);
    if (answer.kind === 'interrupted') return null;
    const tried = { target, attempts: attempts + 1 };
    if (answer.kind === 'scanned') {
      const result = { ...target.facts, ...answer.facts, attempts: tried.attempts, report: this.#fileOf(target, now) };
      await this.#settle(now, result);
      return null;
    }
    const { name } = target.facts;
    const reason = answer.reason.startsWith(`${name}: `) ? answer.reason.slice(name.length + 2) : answer.reason;
    if (tried.attempts >= MOST_ATTEMPTS) return await this.#fail(tried, now, reason, startedAtNs);
    this.#state.put(name, { key: now.key, attempts: tried.attempts, result: null });
    this.#hooks.onNotice(`${name}: ${reason}; it will be tried once more`);
    return tried;
  }

  async #scan(target: TargetToSweep, now: Found, jobs: number, process: ScanProcess): Promise<TargetAnswer> {
    if (now.options === null) return { kind: 'failed', reason: now.trouble ?? '' };
    const { resume } = this.#plan;
    const options = { ...now.options, store: { path: this.#places.records(now.key) }, jobs, resume };
    const task = { options, reportFile: this.#places.staged(now.key) };
    const { signal } = this.#hooks;
    const onNotice = (line: string): void => this.#hooks.onNotice(`${target.facts.name}: ${line}`);
    return await process.run(task, { timeLimitMs: target.timeLimitMs, onNotice, signal });
  }

  /** First the state, then the report's place: a kill between them is mended by the next sweep, and nothing is scanned twice. */
  async #settle({ key }: Found, result: SweptTarget): Promise<void> {
    this.#state.put(result.name, { key, attempts: result.attempts, result: JSON.stringify(result) });
    await putInPlace(this.#places.staged(key), this.#places.report(result.report ?? ''));
    this.#places.forget(key);
    this.#results.set(result.name, result);
    this.#hooks.onTarget(result, this.#results.size, this.#plan.targets.length);
  }

  async #fail({ target, attempts }: Item, now: Found, reason: string, startedAtNs: bigint): Promise<null> {
    const { facts, window } = target;
    const { version } = this.#plan;
    const finishedAtNs = nowNs();
    const report = failedReport({ target: facts, window, reason, startedAtNs, finishedAtNs, version });
    await writeSynced(this.#places.staged(now.key), renderJson(report));
    await this.#settle(now, {
      ...facts,
      ...NOTHING,
      state: 'failed',
      reasons: [reason],
      attempts,
      report: this.#fileOf(target, now),
      startedAt: rfc3339(startedAtNs),
      finishedAt: rfc3339(finishedAtNs),
    });
    return null;
  }

  #fileOf({ facts }: TargetToSweep, { key }: Found): string {
    return reportFileOf(facts.name, key);
  }

  /** Every target of the plan, scanned or not. */
  targets(): SweptTarget[] {
    return this.#plan.targets.map(({ facts }) => this.#results.get(facts.name) ?? notStarted(facts));
  }
}

const NOTHING = {
  hasFindings: false,
  figures: null,
  worst: [],
  packages: {},
  skipped: {},
  damagedExtents: 0,
  extents: [],
};

function notStarted(facts: TargetFacts): SweptTarget {
  const never = { attempts: 0, report: null, startedAt: null, finishedAt: null };
  return {
    ...facts,
    ...NOTHING,
    ...never,
    state: 'not-started',
    reasons: ['not scanned yet: the sweep was interrupted'],
  };
}

/** The target as it is now, under a key of all that decides what a scan of it finds. */
function found(target: TargetToSweep, version: string): Found {
  try {
    const options = target.open();
    return { key: keyOf([version, target.facts.name, options]), options, trouble: null };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { key: keyOf([version, target.facts.name, target.facts.path]), options: null, trouble: error.message };
  }
}

const KEY_DIGITS = 32;

function keyOf(parts: readonly unknown[]): string {
  const text = JSON.stringify(parts, (_, value) => (typeof value === 'bigint' ? String(value) : value));
  return createHash('sha256').update(text).digest('hex').slice(0, KEY_DIGITS);
}

function clockText(timeNs: bigint): string {
  return rfc3339(timeNs) ?? '';
}
