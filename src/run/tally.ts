// What a scan counts on its way: coverage, skips, packages, volumes. Bounded but for packages and references.

import { countLanded } from '../judge/host-extents.ts';
import { type Counters, countFinding, newCounters } from '../judge/judge-groups.ts';
import { countName } from '../judge/name-changes.ts';
import { agreement, manifestsOf, newestPast, type PathCase, sameContent, timelineOf } from '../judge/path-case.ts';
import type { Expectation, Finding, Skipped, SkipReason } from '../model.ts';
import type { JudgedPath } from './judge-tree.ts';

/** More skipped paths than this are counted, not listed. */
const SKIPPED_AT_MOST = 100_000;

export class Tally {
  readonly counters: Counters;
  readonly byReference = new Map<string, number>();
  readonly filesByReference = new Map<string, number>();
  readonly skipped: Skipped[] = [];
  files = 0;
  directories = 0;
  bytesRead = 0;
  vouched = 0;
  unvouched = 0;
  atRisk = 0;
  /** Something that the scan was to examine was refused to it. */
  unexamined = 0;

  /** @param stripeBytes the size of the host's extents, or null. */
  constructor(stripeBytes: number | null) {
    this.counters = newCounters(stripeBytes);
  }

  add({ known, judgement, isPlaced = false }: JudgedPath): void {
    this.#countKind(known);
    this.#countSkip(known);
    this.#countPackage(known, judgement.finding);
    this.#countChange(known);
    countName(this.counters.names, known);
    for (const expectation of known.expected) increment(this.filesByReference, expectation.reference);
    if (known.logged !== null) increment(this.filesByReference, known.logged.reference);
    for (const reference of judgement.vouchers) increment(this.byReference, reference);
    if (judgement.atRisk) this.atRisk++;
    if (isContent(known)) judgement.vouchers.length > 0 ? this.vouched++ : this.unvouched++;
    const [newest] = known.blocks;
    if (this.counters.extents !== null && isPlaced && newest !== undefined) countLanded(this.counters.extents, newest);
    if (judgement.finding !== null) countFinding(this.counters, judgement.finding);
  }

  #countKind(known: PathCase): void {
    const type = isShownAgain(known) ? undefined : known.seen?.stat?.type;
    if (type === 'directory') this.directories++;
    if (type === 'file') this.files++;
  }

  #countSkip(known: PathCase): void {
    if (isShownAgain(known)) return;
    const reason = skipReason(known);
    const fault = known.seen?.fault ?? known.seen?.content?.fault ?? null;
    const isRefused = fault !== null || known.seen?.content?.state === 'unreadable';
    if (isRefused && reason !== 'changing') this.unexamined++;
    if (reason === null || this.skipped.length >= SKIPPED_AT_MOST) return;
    this.skipped.push({ volume: known.volume, path: known.path, reason });
  }

  #countPackage(known: PathCase, finding: Finding | null): void {
    for (const manifest of manifestsOf(known)) {
      if (manifest.owner === null || manifest.editable || Object.keys(manifest.digests).length === 0) continue;
      this.#countManifest(known, manifest, manifest.owner.name, finding);
    }
  }

  /** A file that other witnesses call lost says nothing against its manifest. */
  #countManifest(known: PathCase, manifest: Expectation, name: string, finding: Finding | null): void {
    const counts = this.counters.packages.get(name) ?? { files: 0, differing: 0 };
    this.counters.packages.set(name, counts);
    counts.files++;
    const differs = known.seen !== null && !isShownAgain(known) && agreement(known.seen, manifest) === 'different';
    if (differs && !isLostByOthers(finding) && !changedUnderUnchangedInode(known)) counts.differing++;
  }

  /** Files whose content changed between the last two generations, and those of them that are as before the change. */
  #countChange(known: PathCase): void {
    const newest = newestPast(known)?.expectation ?? null;
    const older = timelineOf(known).at(-2)?.expectation ?? null;
    if (newest?.type !== 'file' || older?.type !== 'file' || sameContent(newest, older)) return;
    const counts = this.counters.changed.get(known.volume) ?? { changed: 0, wentBack: 0 };
    this.counters.changed.set(known.volume, counts);
    counts.changed++;
    if (known.seen !== null && agreement(known.seen, older) === 'same') counts.wentBack++;
  }
}

function isLostByOthers(finding: Finding | null): boolean {
  if (finding === null || finding.confidence === 'possible' || finding.verdict === 'altered') return false;
  return finding.evidence[0]?.scanner !== 'packages';
}

/** The newest generation had other bytes under the same times: it is the file that changed, whatever its manifest says. */
function changedUnderUnchangedInode(known: PathCase): boolean {
  const newest = newestPast(known)?.expectation ?? null;
  if (known.seen?.stat == null || newest?.stat == null || known.seen.stat.ctimeNs > newest.stat.ctimeNs) return false;
  return agreement(known.seen, newest) === 'different';
}

/** Counted where it is at home. */
function isShownAgain({ seen }: PathCase): boolean {
  return seen?.viaSecondName === true;
}

function isContent(known: PathCase): boolean {
  const type = isShownAgain(known) ? undefined : known.seen?.stat?.type;
  return type === 'file' || type === 'symlink';
}

/** Why the entry was not examined whole, if it was not; damage is no reason: that is a finding. */
function skipReason(known: PathCase): SkipReason | null {
  const { seen } = known;
  if (seen === null) return null;
  if (seen.content?.state === 'changing') return 'changing';
  const fault = seen.fault ?? seen.content?.fault ?? null;
  if (fault?.kind === 'absent') return 'changing';
  if (fault !== null) return fault.kind === 'unreadable' ? null : fault.kind;
  const type = seen.stat?.type ?? 'file';
  return ['file', 'directory', 'symlink'].includes(type) ? null : 'special';
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
