// The one place where the command line meets the engine. Loaded when a command needs it: --help must not wait for SQLite.

import type { NamedEntry } from '../fleet/expand-images.ts';
import type { SweepHooks, SweepPlan } from '../fleet/sweep.ts';
import type { BytePath, Nanoseconds, TargetIdentity, TargetSpec } from '../model.ts';
import type { Explained } from '../report/explanation.ts';
import type { Inspection } from '../report/inspection.ts';
import type { WireSweep } from '../report/sweep-schema.ts';
import type {
  BaselineGeneration,
  BaselineOptions,
  BaselineResult,
  BaselineSeries,
  DemoScene,
  RunHooks,
  ScanOptions,
  ScanOutcome,
  StoreOption,
} from '../run/options.ts';

export interface RunFunctions {
  scan(options: ScanOptions, hooks: RunHooks): Promise<ScanOutcome>;
  createBaseline(options: BaselineOptions, hooks: RunHooks): Promise<BaselineResult>;
  /** In each volume where the target or a reference knows the path. */
  explain(options: ScanOptions, path: BytePath, hooks: RunHooks): Promise<Explained>;
  inspect(target: TargetSpec): Promise<Inspection>;
  /** By name. */
  listBaselines(store: StoreOption): Promise<readonly BaselineSeries[]>;
  /** Oldest state first. UsageError when there is no such baseline. */
  showBaseline(store: StoreOption, name: string): Promise<readonly BaselineGeneration[]>;
  /** Drops these generations, or all. UsageError when one is not there. */
  dropBaseline(store: StoreOption, name: string, atNs: readonly Nanoseconds[] | null): Promise<void>;
  /** Makes an incident within a directory, and unmounts it once `use` has ended. */
  withDemo<Result>(directory: string, hooks: RunHooks, use: (scene: DemoScene) => Promise<Result>): Promise<Result>;
  /** The targets of a list, globs expanded. UsageError, with file and line, for whatever is wrong with it. */
  readTargets(file: string): readonly NamedEntry[];
  /** Milliseconds; null: the default. UsageError for what is no time. */
  parseTimeLimit(text: string | null): number;
  /** Scans all targets, each in a process of its own. UsageError when reports and state cannot be kept. */
  sweep(plan: SweepPlan, hooks: SweepHooks): Promise<WireSweep>;
  /** What every worker will check a target against. */
  identityOf(path: string): TargetIdentity;
}

export async function loadRunFunctions(): Promise<RunFunctions> {
  const [run, { withDemo }, fleet, { readTargets }, { parseTimeLimit }] = await Promise.all([
    import('../run.ts'),
    import('../run/with-demo.ts'),
    import('../fleet/sweep.ts'),
    import('../fleet/expand-images.ts'),
    import('../fleet/time-limit.ts'),
  ]);
  return { ...run, withDemo, sweep: fleet.sweep, readTargets, parseTimeLimit };
}
