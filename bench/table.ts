// What every bench prints: where it ran, and a table of contestants with their ratios to each other.

import { spawnSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';
import { type Contestant, median, ratio, type Timing } from './timed.ts';

/** Machine, Node version, commit, load: a line of Markdown. */
export function surroundings(): string {
  const { status, stdout } = spawnSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' });
  const commit = status === 0 ? stdout.trim() : 'not known';
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const memory = Math.round(totalmem() / 2 ** 30);
  const load = loadavg().map(value => value.toFixed(1));
  return `${cpus().length} x ${model}, ${memory} GiB, Node ${process.version}, commit ${commit}, load ${load.join(' ')}`;
}

/** A Markdown table: medians, and the first contestant's figures divided by each one's, median of the turns' ratios. */
export function resultTable(contestants: readonly Contestant[], timings: readonly (readonly Timing[])[]): string {
  const [ours = []] = timings;
  const rows = contestants.map(({ name }, index) => {
    const theirs = timings[index] ?? [];
    const figures = [
      median(theirs.map(timing => timing.wall)).toFixed(2),
      median(theirs.map(timing => timing.cpu)).toFixed(2),
      median(theirs.map(timing => timing.peakMiB)).toFixed(0),
      index === 0 ? '' : ratio(ours, theirs, 'wall').toFixed(2),
      index === 0 ? '' : ratio(ours, theirs, 'cpu').toFixed(2),
    ];
    return `| ${[name, ...figures].join(' | ')} |`;
  });
  const head = ['program', 'wall s', 'CPU s', 'peak MiB', 'ours / it, wall', 'ours / it, CPU'];
  return [`| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`, ...rows].join('\n');
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
