// What a target is made of, as a table for people and as JSON. Pure; every text that came from the target and is printed went
// through printable.ts.

import { byteFigure } from '../figures.ts';
import type { VolumeFacts } from '../model.ts';
import { printableText } from './printable.ts';
import { rfc3339, timeForPeople } from './time.ts';
import { wireVolume } from './wire.ts';
import { wrapText } from './wrap.ts';

export interface InspectedVolume extends VolumeFacts {
  /** Why it cannot be read, if so. */
  readonly trouble: string | null;
  /** `3 of the GPT, Linux file system`; null where there is no partition table. */
  readonly partition: string | null;
  readonly holdsFiles: boolean;
  readonly features: readonly string[];
  readonly times: Readonly<Record<string, bigint | null>>;
}

export interface Inspection {
  /** `raw`, `qcow2`; null for a directory. */
  readonly container: string | null;
  readonly snapshots: readonly string[];
  readonly volumes: readonly InspectedVolume[];
  readonly facts: readonly { readonly name: string; readonly detail: string }[];
}

/** Lines without line ends. */
export function renderInspection(name: string, inspection: Inspection): string[] {
  const { container, snapshots, volumes, facts } = inspection;
  return [
    `${printableText(name)}: ${container === null ? 'a mounted directory' : `a ${container} image`}`,
    ...(snapshots.length === 0 ? [] : [`  internal snapshots: ${snapshots.map(printableText).join(', ')}`]),
    ...facts.map(fact => `  ${fact.name}: ${printableText(fact.detail)}`),
    ...(volumes.length === 0 ? ['  no volumes'] : volumes.flatMap(volumeLines)),
  ];
}

function volumeLines(volume: InspectedVolume): string[] {
  const { index, filesystem, label, uuid, offset, size, partition, state, replayed, trouble, gates, features, times } =
    volume;
  const at = offset === null ? '' : ` at byte ${offset}`;
  const place = size === null ? '' : `, ${byteFigure(size)}${at}`;
  return [
    `Volume ${index}: ${filesystem}${label === '' ? '' : ` "${printableText(label)}"`}${place}`,
    ...(partition === null ? [] : field('partition', printableText(partition))),
    ...(uuid === null ? [] : [`  uuid       ${uuid}`]),
    `  state      ${state}${replayed ? ', its journal replayed in memory' : ''}`,
    ...Object.entries(times).flatMap(([what, time]) =>
      time === null ? [] : [`  ${what.padEnd(10)} ${timeForPeople(time)}`],
    ),
    ...(features.length === 0 ? [] : field('features', features.join(' '))),
    ...(trouble === null ? [] : field('not read', printableText(trouble))),
    ...gates.flatMap(gate => field('note', printableText(gate))),
  ];
}

/** One object: volumes as in a report, and more of each. Times are RFC 3339, UTC. */
export function inspectionJson(name: string, { volumes, ...rest }: Inspection): string {
  const inspected = volumes.map(volume => {
    const { partition, trouble, holdsFiles, features, times } = volume;
    const wireTimes = Object.entries(times).map(([what, time]) => [what, time === null ? null : rfc3339(time)]);
    return { ...wireVolume(volume), partition, trouble, holdsFiles, features, times: Object.fromEntries(wireTimes) };
  });
  return JSON.stringify({ format: 'lostwrite-inspection', version: 1, name, ...rest, volumes: inspected }, null, 2);
}

const COLUMNS = 100;
const FIELD_COLUMNS = 13;

/** A word, and behind it a text that may need several lines. */
function field(word: string, text: string): string[] {
  const [first = '', ...rest] = wrapText(text, COLUMNS, FIELD_COLUMNS);
  return [`  ${word}`.padEnd(FIELD_COLUMNS) + first.trimStart(), ...rest];
}
