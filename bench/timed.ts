// Runs programs for their time: wall, CPU of the program and its children, greatest memory of one process. Needs the
// Debian package `time`. Programs are compared in the same run, turn by turn, so that what else the machine does hits all.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Seconds, and MiB. */
export interface Timing {
  readonly wall: number;
  readonly cpu: number;
  readonly peakMiB: number;
}

export interface Contestant {
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
  /** What counts as success: debsums and the like tell of differences by their exit code. */
  readonly exitCodes?: readonly number[];
  /** Untimed, before each turn. */
  readonly prepare?: () => void;
}

/** One run of a program; its standard output goes nowhere. Throws when it fails. */
export function timed(contestant: Contestant): Timing {
  contestant.prepare?.();
  const directory = mkdtempSync(join(tmpdir(), 'lostwrite-timed-'));
  const figures = join(directory, 'figures');
  try {
    const args = ['--quiet', '--format', '%e %U %S %M', '--output', figures, ...contestant.command];
    const ended = spawnSync('/usr/bin/time', args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
    if (ended.error !== undefined) throw ended.error;
    const succeeded = (contestant.exitCodes ?? [0]).includes(ended.status ?? -1);
    if (!succeeded) throw new Error(`${contestant.name}: exit ${ended.status}: ${ended.stderr.slice(0, 2000)}`);
    const [wall = 0, user = 0, system = 0, peak = 0] = readFileSync(figures, 'utf8').trim().split(' ').map(Number);
    return { wall, cpu: user + system, peakMiB: peak / 1024 };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Each contestant's timings; the first round is for warming up and does not count. */
export function compete(contestants: readonly Contestant[], rounds: number): Timing[][] {
  const timings: Timing[][] = contestants.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    contestants.forEach((contestant, index) => {
      const timing = timed(contestant);
      if (round > 0) timings[index]?.push(timing);
    });
  }
  return timings;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** Median of the ratios of two contestants' figures, turn by turn. */
export function ratio(ours: readonly Timing[], theirs: readonly Timing[], figure: 'wall' | 'cpu'): number {
  return median(ours.map((timing, round) => timing[figure] / (theirs[round]?.[figure] ?? Number.NaN)));
}
