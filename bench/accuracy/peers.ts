// Accuracy beside other programs: the same damaged images, judged in one run by ours with the backup image of t0, and by
// what administrators have at hand. `node dist/bench/accuracy/peers.js --help` tells the rest.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { UsageError } from '../../src/errors.ts';
import type { BytePath, EntryType, Verdict } from '../../src/model.ts';
import { surroundings } from '../table.ts';
import {
  casesOf,
  DAMAGING_MODES,
  filesystemOption,
  incidentDirectory,
  nameOf,
  truthOf,
  typesOf,
} from './incident-case.ts';
import { type Peer, type PeerAnswer, peerObstacle, peersOn } from './peer-programs.ts';
import type { Blame } from './peers-output.ts';
import { scanImage } from './scan-incident.ts';
import {
  addScores,
  EMPTY,
  overall,
  precision,
  recall,
  type Score,
  type ScoredReport,
  score,
  type Tally,
} from './score.ts';

const USAGE =
  'usage: peers.js [--filesystem ext4|xfs] [--seeds FROM..TO] [--later-life] [--work DIR] [--json FILE] [--discard] [--verbose]';

const { values } = parseArgs({
  options: {
    filesystem: { type: 'string', default: 'ext4' },
    seeds: { type: 'string', default: '101..104' },
    'later-life': { type: 'boolean', default: false },
    work: { type: 'string', default: '/tmp/lostwrite-peers' },
    json: { type: 'string' },
    discard: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

interface Contestant {
  readonly name: string;
  score: Score;
  /** Incidents at which it ended without an answer. */
  died: number;
}

const OURS = 'lostwrite scan --before';

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

const VERDICT_OF: Readonly<Record<Blame, Verdict>> = { changed: 'garbage', missing: 'missing', new: 'resurrected' };

/** Accusations as a report of ours would have them: what a program finds changed counts as damage to content. */
function reportOf(answer: PeerAnswer, types: ReadonlyMap<BytePath, EntryType>): ScoredReport {
  const findings = [...(answer ?? [])].map(([path, blame]) => ({
    path: Buffer.from(path, 'latin1').toString('utf8'),
    pathBase64: Buffer.from(path, 'latin1').toString('base64'),
    type: types.get(path) ?? null,
    verdict: VERDICT_OF[blame],
    confidence: 'likely' as const,
  }));
  return { findings };
}

async function runIncident(
  directory: string,
  contestants: readonly Contestant[],
  peers: readonly Peer[],
): Promise<void> {
  const truth = truthOf(directory);
  const types = await typesOf(directory);
  for (const contestant of contestants) {
    const peer = peers.find(({ name }) => name === contestant.name);
    const answer = peer === undefined ? null : await peer.judge(directory);
    if (peer !== undefined && answer === null) contestant.died++;
    const report = peer === undefined ? await scanImage(directory) : reportOf(answer, types);
    const scored = score(truth, report);
    contestant.score = addScores(contestant.score, scored);
    if (values.verbose) print(`  ${contestant.name.padEnd(26)}${figures(scored).join('  ')}`);
  }
}

function figures(scored: Score): string[] {
  return [overall(scored), scored.contentFiles].flatMap(tally => [share(precision(tally)), share(recall(tally))]);
}

function share(value: number | null): string {
  return value === null ? '–' : value.toFixed(3);
}

function table(contestants: readonly Contestant[], incidents: number): string[] {
  const head = ['program', 'precision, all', 'recall, all', 'precision, files', 'recall, files', 'died'];
  const rows = contestants.map(({ name, score: scored, died }) => [
    name === OURS ? name : `\`${name}\``,
    ...figures(scored),
    died === 0 ? '' : `${died} of ${incidents}`,
  ]);
  return [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`);
}

function wire(contestants: readonly Contestant[], incidents: number): string {
  const of = (tally: Tally) => ({ ...tally, precision: precision(tally), recall: recall(tally) });
  const programs = contestants.map(({ name, died, score: scored }) => ({
    name,
    died,
    all: of(overall(scored)),
    contentFiles: of(scored.contentFiles),
  }));
  return `${JSON.stringify({ surroundings: surroundings(), seeds: values.seeds, incidents, programs }, null, 1)}\n`;
}

async function main(): Promise<void> {
  const filesystem = filesystemOption(values.filesystem);
  const obstacle = peerObstacle(filesystem);
  if (obstacle !== null) throw new UsageError(obstacle);
  const [from = 1, to = from] = values.seeds.split('..').map(Number);
  const seeds = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  const peers = peersOn(filesystem);
  const contestants = [OURS, ...peers.map(({ name }) => name)].map(name => ({ name, score: EMPTY, died: 0 }));
  const cases = casesOf(filesystem, seeds, DAMAGING_MODES, values['later-life']);
  mkdirSync(values.work, { recursive: true });
  for (const incident of cases) {
    if (values.verbose) print(nameOf(incident));
    const directory = await incidentDirectory(values.work, incident);
    await runIncident(directory, contestants, peers);
    if (values.discard) rmSync(directory, { recursive: true });
  }
  const { damaged } = contestants[0]?.score.contentFiles ?? { damaged: 0 };
  print(
    `${cases.length} incidents (seeds ${values.seeds}), ${overall(contestants[0]?.score ?? EMPTY).damaged} damaged paths, ${damaged} of them files with wrong bytes`,
  );
  for (const line of table(contestants, cases.length)) print(line);
  print(surroundings());
  if (values.json !== undefined) writeFileSync(values.json, wire(contestants, cases.length));
}

if (values.help) print(USAGE);
else {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
}
