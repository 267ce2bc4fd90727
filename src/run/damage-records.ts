// Structures of a volume that workers found broken: kept with the work that met them, so that a resumed run tells of them too,
// and told once each, however many workers met them.

import type { DamagedStructure, ScanError } from '../model.ts';
import type { Run } from '../store/scan-runs.ts';
import type { OpenedVolume } from '../tree/open-target.ts';

/** Of one volume a report lists no more. */
const LISTED_AT_MOST = 10_000;
const WORK = ['listing', 'reading'] as const;

interface MetDamage {
  /** Of the segment that was listed, or of the batch that was read. */
  readonly number: number;
  readonly damage: readonly DamagedStructure[];
}

export function keepDamage(run: Run, work: (typeof WORK)[number], volume: number, { number, damage }: MetDamage): void {
  if (damage.length > 0) run.putBlob(kindOf(work, volume), number, Buffer.from(JSON.stringify(damage), 'utf8'));
}

/** What the workers met, and what was met at the opening; ascending by place. A journal's trouble is told elsewhere. */
export function damageOf(run: Run, volume: OpenedVolume): ScanError[] {
  const known = new Set(volume.journalTrouble);
  const all: DamagedStructure[] = [];
  for (const structure of metIn(run, volume)) {
    if (known.has(structure.message)) continue;
    known.add(structure.message);
    all.push(structure);
  }
  all.sort((left, right) => left.at - right.at || (left.message < right.message ? -1 : 1));
  const { index } = volume.facts;
  const listed = all.slice(0, LISTED_AT_MOST).map(({ code, message }) => errorOf(index, code, message));
  const rest = all.length - listed.length;
  return rest === 0 ? listed : [...listed, errorOf(index, 'EUCLEAN', `${rest} more damaged structures`)];
}

function* metIn(run: Run, { facts, filesystem }: OpenedVolume): Iterable<DamagedStructure> {
  yield* filesystem?.damage?.facts ?? [];
  for (const work of WORK) {
    for (const [, bytes] of run.blobs(kindOf(work, facts.index))) {
      yield* JSON.parse(Buffer.from(bytes).toString('utf8')) as DamagedStructure[];
    }
  }
}

function errorOf(volume: number, code: string, message: string): ScanError {
  return { path: '/', code, message: `volume ${volume}: ${message}` };
}

function kindOf(work: (typeof WORK)[number], volume: number): string {
  return `${work}-damage:${volume}`;
}
