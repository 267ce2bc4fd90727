// The accuracy bench: makes incidents, scans them, pools the scores. `node dist/bench/accuracy/run.js --help` tells the rest.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Mode } from '../../fixtures/incident/losses.ts';
import { parseStripe } from '../../src/cli/extents.ts';
import { errorCode } from '../../src/errors.ts';
import {
  casesOf,
  DAMAGING_MODES,
  filesystemOption,
  type IncidentCase,
  incidentDirectory,
  nameOf,
  truthOf,
} from './incident-case.ts';
import { type Generations, scanImage, scanIncident } from './scan-incident.ts';
import { addScores, EMPTY, overall, precision, recall, type Score, score } from './score.ts';

/** With --discard, incidents with so many false alarms are kept all the same. */
const WORTH_A_LOOK = 10;

const USAGE = `usage: run.js [--filesystem ext4|xfs] [--seeds FROM..TO] [--modes LIST] [--witnesses SETS] [--stripe SIZE] [--later-life] [--work DIR] [--json FILE] [--discard] [--verbose]
SETS: t0,t1 or t0 (states of a baseline, against mounts) or images (the backup image of t0, against the disk's), joined by +`;

const { values } = parseArgs({
  options: {
    filesystem: { type: 'string', default: 'ext4' },
    seeds: { type: 'string', default: '1..4' },
    modes: { type: 'string', default: DAMAGING_MODES.join(',') },
    witnesses: { type: 'string', default: 't0,t1' },
    stripe: { type: 'string' },
    'later-life': { type: 'boolean', default: false },
    work: { type: 'string', default: '/tmp/lostwrite-accuracy' },
    json: { type: 'string' },
    discard: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** A reader that has seen enough (`| head`) ends the bench after the incident at hand, unless a file is to be written. */
let isReaderGone = false;
process.stdout.on('error', error => {
  if (errorCode(error) !== 'EPIPE') throw error;
  isReaderGone = true;
});

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function share(value: number | null): string {
  return value === null ? '–' : value.toFixed(3);
}

function line(name: string, scored: Score): string {
  const all = overall(scored);
  const classes = scored.rightClass / Math.max(1, all.found);
  const exact = scored.ranges.exact / Math.max(1, scored.ranges.partly);
  const suspects = scored.suspects.listed / Math.max(1, scored.suspects.unreported);
  return [
    name.padEnd(34),
    `precision ${share(precision(all))}`,
    `recall ${share(recall(all))}`,
    `(content ${share(recall(scored.content))}, metadata ${share(recall(scored.metadataOnly))})`,
    `class ${share(classes)}`,
    `ranges ${share(exact)} of ${scored.ranges.partly}`,
    `suspect ${share(suspects)} of ${scored.suspects.unreported}`,
    `damaged ${all.damaged} false ${all.falseAlarms} proven wrong ${scored.provenWrong}`,
  ].join('  ');
}

const stripeBytes = values.stripe === undefined ? null : parseStripe(values.stripe);

/** The scores of one incident, one for each set of witnesses. */
async function runCase(incident: IncidentCase, sets: readonly string[]): Promise<Score[]> {
  const directory = await incidentDirectory(values.work, incident);
  const scores: Score[] = [];
  for (const set of sets) {
    const report = await (set === 'images'
      ? scanImage(directory, stripeBytes)
      : scanIncident(directory, set.split(',') as unknown as Generations));
    const scored = score(truthOf(directory), report);
    const name = set.replace(',', '-');
    writeFileSync(`${directory}/report-${name}.json`, JSON.stringify(report));
    writeFileSync(`${directory}/score-${name}.json`, JSON.stringify(scored, null, 1));
    scores.push(scored);
  }
  const isPlain = scores.every(({ falseAlarms }) => falseAlarms.length < WORTH_A_LOOK);
  if (values.discard && isPlain) rmSync(directory, { recursive: true, force: true });
  return scores;
}

async function main(): Promise<void> {
  const [from, to] = values.seeds.split('..').map(Number);
  const seeds = Array.from({ length: (to ?? from ?? 1) - (from ?? 1) + 1 }, (_, index) => (from ?? 1) + index);
  const sets = values.witnesses.split('+');
  mkdirSync(values.work, { recursive: true });
  const pooled = sets.map(() => EMPTY);
  for (const incident of casesOf(
    filesystemOption(values.filesystem),
    seeds,
    values.modes.split(',') as Mode[],
    values['later-life'],
  )) {
    if (isReaderGone && values.json === undefined) return;
    for (const [index, scored] of (await runCase(incident, sets)).entries()) {
      if (values.verbose) print(line(`${nameOf(incident)} ${sets[index]}`, scored));
      pooled[index] = addScores(pooled[index] ?? EMPTY, scored);
    }
  }
  for (const [index, scored] of pooled.entries()) printPooled(sets[index] ?? '', scored);
  const bySet = Object.fromEntries(sets.map((set, index) => [set, pooled[index]]));
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(bySet, null, 1));
}

function printPooled(set: string, pooled: Score): void {
  print(line(`pooled ${values.seeds} ${set}`, pooled));
  const { damaged: harmed, found: seen } = pooled.contentFiles;
  print(`  content-damaged files: found ${seen} of ${harmed} (recall ${share(recall(pooled.contentFiles))})`);
  const { unreported, listed } = pooled.suspectsOfMetadata;
  print(`  suspect, of what is old in owner, mode or times alone: ${listed} of ${unreported}`);
  print(`  suspect, of undamaged paths: ${pooled.undamaged.suspects} of ${pooled.undamaged.paths}`);
  for (const [verdict, { damaged, found }] of Object.entries(pooled.byVerdict))
    print(`  ${verdict}: ${found} of ${damaged} found`);
  print(`  classes: ${JSON.stringify(pooled.classes)}`);
}

if (values.help) print(USAGE);
else await main();
