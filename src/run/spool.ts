// The walked tree of one volume, as segments in the run's records: each the listing of a subtree, with marks where the
// subtrees that other workers took belong. Read back it is one stream in path-key order.

import type { Entry } from '../filesystems/filesystem.ts';
import type { BytePath, DamagedStructure, EntryType, Fault, Stat } from '../model.ts';
import { childPath } from '../path.ts';
import type { Run } from '../store/scan-runs.ts';
import { type EntryRecord, readRecords } from '../tree/entry-record.ts';
import type { WalkedSubtree } from '../tree/walk.ts';
import { fromJson, toJson } from './bigint-json.ts';
import { keepDamage } from './damage-records.ts';

/** A walked name with its whole path. */
export interface SpoolEntry {
  readonly path: BytePath;
  readonly kind: 'entry' | 'lost' | 'excluded' | 'mount';
  readonly direntType: EntryType | null;
  readonly stat: Stat | null;
  readonly device: bigint;
  readonly mountPoint: boolean;
  /** As in Entry. */
  readonly viaSecondName?: boolean;
  readonly linkTarget: BytePath | null;
  readonly fault: Fault | null;
}

/** A directory whose subtree is, or will be, a segment of its own. */
export interface Subtree {
  readonly number: number;
  readonly start: Entry | null;
}

/** What the store keeps of a segment beside its parts. */
interface SegmentIndex {
  readonly path: BytePath;
  readonly parts: readonly number[];
  readonly children: readonly number[];
}

const SEGMENT = 'segment';
const PART = 'segment-part';

/** Segment 0 starts at the root. Numbers are handed out in the order of deferral. */
export class Spool {
  readonly #run: Run;
  readonly #volume: number;
  #nextSegment = 1;
  #nextPart = 0;

  constructor(run: Run, volume: number) {
    this.#run = run;
    this.#volume = volume;
    this.#nextSegment = Number(run.attribute(this.#name('next-segment')) ?? 1);
    this.#nextPart = Number(run.attribute(this.#name('next-part')) ?? 0);
  }

  /**
   * Keeps a walked subtree and the damage that was met in it, whole or not at all; its deferred directories become segments to
   * be walked.
   */
  add(subtree: Subtree, walked: WalkedSubtree, damage: readonly DamagedStructure[] = []): Subtree[] {
    const deferred = walked.deferred.map(start => ({ number: this.#nextSegment++, start }));
    this.#run.together(() => {
      this.#keep(subtree, walked, deferred);
      keepDamage(this.#run, 'listing', this.#volume, { number: subtree.number, damage });
    });
    return deferred;
  }

  #keep(subtree: Subtree, walked: WalkedSubtree, deferred: readonly Subtree[]): void {
    const parts = walked.parts.map(part => this.#addPart(part));
    const children = deferred.map(child => child.number);
    const index: SegmentIndex = { path: subtree.start?.path ?? '/', parts, children };
    this.#run.putBlob(this.#name(SEGMENT), subtree.number, Buffer.from(JSON.stringify(index), 'utf8'));
    for (const child of deferred) this.#keepStart(child);
    this.#run.setAttribute(this.#name('next-segment'), String(this.#nextSegment));
    this.#run.setAttribute(this.#name('next-part'), String(this.#nextPart));
  }

  get isComplete(): boolean {
    return this.#run.attribute(this.#name('listed')) !== null;
  }

  complete(): void {
    this.#run.setAttribute(this.#name('listed'), 'yes');
    this.#run.flush();
  }

  /** Segments that are known of and not walked yet: where a killed run left off. */
  pending(): Subtree[] {
    if (this.#index(0) === null) return [{ number: 0, start: null }];
    const pending: Subtree[] = [];
    const visit = (number: number): void => {
      const index = this.#index(number);
      if (index === null) pending.push({ number, start: this.#start(number) });
      else index.children.forEach(visit);
    };
    visit(0);
    return pending;
  }

  /** Ascending by path key. The top of a subtree that was never walked (a cancelled run) stands there as excluded. */
  *entries(): Iterable<SpoolEntry> {
    if (this.#index(0) === null) yield UNWALKED_ROOT;
    else yield* this.#segment(0);
  }

  *#segment(number: number): Iterable<SpoolEntry> {
    const index = this.#index(number);
    if (index === null) return;
    const ancestors = ancestorsOf(index.path);
    for (const part of index.parts) {
      const bytes = this.#run.blob(this.#name(PART), part);
      if (bytes === null) throw new Error(`part ${part} of segment ${number} is not in the store`);
      for (const record of readRecords(bytes)) {
        const child = record.kind === 'continued' ? (index.children[record.ordinal] ?? -1) : -1;
        if (record.kind === 'continued' && this.#index(child) !== null) yield* this.#segment(child);
        else yield withPath(record, ancestors);
      }
    }
  }

  #addPart(bytes: Uint8Array): number {
    this.#run.putBlob(this.#name(PART), this.#nextPart, bytes);
    return this.#nextPart++;
  }

  #index(number: number): SegmentIndex | null {
    const bytes = this.#run.blob(this.#name(SEGMENT), number);
    return bytes === null ? null : (JSON.parse(Buffer.from(bytes).toString('utf8')) as SegmentIndex);
  }

  /** A deferred directory, to be walked by this run or by the one that resumes it. */
  #keepStart(subtree: Subtree): void {
    this.#run.putBlob(this.#name('segment-start'), subtree.number, Buffer.from(toJson(subtree.start), 'utf8'));
  }

  #start(number: number): Entry {
    const bytes = this.#run.blob(this.#name('segment-start'), number);
    if (bytes === null) throw new Error(`the start of segment ${number} is not in the store`);
    return fromJson(Buffer.from(bytes).toString('utf8')) as Entry;
  }

  #name(kind: string): string {
    return `${kind}:${this.#volume}`;
  }
}

const UNWALKED_ROOT: SpoolEntry = {
  path: '/',
  kind: 'excluded',
  direntType: null,
  stat: null,
  device: 0n,
  mountPoint: false,
  linkTarget: null,
  fault: null,
};

/** Paths by depth, "/" at 0, up to the directory above the segment's start. */
function ancestorsOf(path: BytePath): BytePath[] {
  if (path === '/') return [];
  const ancestors: BytePath[] = ['/'];
  for (const name of path.split('/').slice(1, -1)) ancestors.push(childPath(ancestors.at(-1) ?? '/', name));
  return ancestors;
}

function withPath(record: EntryRecord, ancestors: BytePath[]): SpoolEntry {
  const path = record.depth === 0 ? '/' : childPath(ancestors[record.depth - 1] ?? '/', record.name);
  ancestors.length = record.depth;
  ancestors.push(path);
  const { direntType, stat, device, mountPoint, viaSecondName, linkTarget, fault } = record;
  const kind = record.kind === 'continued' ? 'excluded' : record.kind;
  return { path, kind, direntType, stat, device, mountPoint, viaSecondName, linkTarget, fault };
}
