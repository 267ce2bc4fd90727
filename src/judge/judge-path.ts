// Turns all that is known of one path into at most one finding, by the one table of rules. Pure: no bytes, no store, no clock.

import {
  type ByteRange,
  CONFIDENCES,
  type Confidence,
  type Evidence,
  type Expectation,
  type Finding,
  type FindingExpected,
  type FindingObserved,
  type Owner,
  type Remedy,
  type Seen,
  VERDICTS,
} from '../model.ts';
import {
  agreement,
  isAfterWindow,
  isNameVouchedByLog,
  manifestsOf,
  newestPast,
  type PathCase,
  type ScanFacts,
  timelineOf,
} from './path-case.ts';
import type { Charge, Rule } from './rule.ts';
import { rulesFor } from './rule-table.ts';
import { SELF_VOUCHING } from './rules-formats.ts';
import { vouchersByGit } from './rules-git.ts';
import { HISTORY_RULES, withGoneBack } from './rules-history.ts';
import { suspicion } from './suspicion.ts';
import { directoryPlace, isAtRisk, windowPlace } from './window.ts';

export interface Judgement {
  /** Null: nothing to say against the path. */
  readonly finding: Finding | null;
  /** References (ids) that vouch for the content as it is. */
  readonly vouchers: readonly string[];
  readonly atRisk: boolean;
}

export function judgePath(known: PathCase): Judgement {
  const vouchers = vouchersOf(known);
  const isNamed = isNameVouchedByLog(known);
  const charges = rulesFor(known)
    .flatMap(rule => chargeBy(rule, known))
    .filter(charge => outlivesVouching(charge, vouchers) && !(isNamed && isHintAtName(charge)));
  const atRisk = isAtRisk(known);
  const chosen = choose(charges) ?? (atRisk && vouchers.length === 0 ? suspicion(known) : null);
  const finding = chosen === null ? null : findingOf(known, chosen, charges, vouchers);
  return { finding, vouchers, atRisk };
}

function chargeBy(rule: Rule, known: PathCase): Charge[] {
  const accusation = rule.accuse(known);
  return accusation === null ? [] : [{ ...accusation, rule }];
}

/** What every voucher stands for is not doubted by hints; it is by witnesses of the inode or of the medium. */
function outlivesVouching(charge: Charge, vouchers: readonly string[]): boolean {
  return vouchers.length === 0 || charge.confidence !== 'possible';
}

/** Hints that the name is of another day. Stronger charges stand beside the log: the two contradict each other then. */
function isHintAtName({ rule, confidence }: Charge): boolean {
  return confidence === 'possible' && rule.isOfName === true;
}

/** References that know what the content should be, and find it so. */
function vouchersOf(known: PathCase): string[] {
  const { seen, scan } = known;
  if (seen?.stat == null) return [];
  const manifests = manifestsOf(known).filter(
    manifest => knowsChanges(manifest, scan) && agreement(seen, manifest) === 'same',
  );
  const knowing = timelineOf(known)
    .filter(({ generation }) => isAfterWindow(generation.atNs, scan.window))
    .at(-1);
  const baseline =
    knowing?.expectation != null && agreement(seen, knowing.expectation) === 'same' ? [knowing.generation.id] : [];
  const own = known.observations.flatMap(observation => SELF_VOUCHING.get(observation.rule) ?? []);
  return [...new Set([...manifests.map(manifest => manifest.reference), ...baseline, ...vouchersByGit(known), ...own])];
}

/** What an administrator may edit is as it was delivered if a lost edit took it there: that vouches where nothing is doubted. */
function knowsChanges(manifest: Expectation, scan: ScanFacts): boolean {
  return !manifest.editable || scan.window === null;
}

/** The best confidence wins; at equal confidence damage to content before metadata, then the order of the verdicts. */
function choose(charges: readonly Charge[]): Charge | null {
  return charges.toSorted((left, right) => rank(left) - rank(right))[0] ?? null;
}

function rank(charge: Charge): number {
  const confidence = CONFIDENCES.indexOf(charge.confidence);
  return confidence * 100 + (charge.metadataOnly ? 50 : 0) + VERDICTS.indexOf(charge.verdict);
}

const RESIDENCE: Rule = {
  name: 'in-suspect-extent',
  scanner: 'extents',
  says: 'Some of its blocks lie in an extent of the disk that is under suspicion.',
  innocent: ['everything: somebody else’s hint where to look'],
  accuse: () => null,
};

/**
 * What somebody suspects of places on the disk, on top of what is known of a path that has blocks there: a finding says so;
 * without one, and without a voucher, the path is suspect.
 * @param suspects the suspected extents that hold blocks of it.
 */
export function withSuspectExtents(known: PathCase, judgement: Judgement, suspects: readonly ByteRange[]): Judgement {
  const [first] = suspects;
  const type = known.seen?.stat?.type;
  if (first === undefined || (judgement.finding === null && type !== 'file' && type !== 'symlink')) return judgement;
  const more = suspects.length > 1 ? `, and in ${suspects.length - 1} more` : '';
  const detail = `Some of its blocks lie in the suspect extent of ${first.length} bytes at ${first.offset}${more}.`;
  const charge: Charge = { rule: RESIDENCE, verdict: 'suspect', confidence: 'possible', detail };
  const { finding, vouchers } = judgement;
  if (finding === null)
    return vouchers.length > 0 ? judgement : { ...judgement, finding: findingOf(known, charge, [charge], vouchers) };
  return { ...judgement, finding: { ...finding, evidence: [...finding.evidence, ...evidenceOf(charge, [])] } };
}

function findingOf(known: PathCase, chosen: Charge, charges: readonly Charge[], vouchers: readonly string[]): Finding {
  const expectation = chosen.expected ?? newestPast(known)?.expectation ?? null;
  const owner = known.expected.find(expected => expected.owner !== null)?.owner ?? null;
  return {
    volume: known.volume,
    path: known.path,
    type: known.seen?.stat?.type ?? known.seen?.direntType ?? expectation?.type ?? null,
    verdict: chosen.verdict,
    confidence: chosen.confidence,
    metadataOnly: chosen.metadataOnly ?? false,
    window: { file: windowPlace(known.seen?.stat ?? null, known.scan.window), directory: directoryPlace(known) },
    ranges: rangesOfFinding(known, chosen, charges),
    expected: expectation === null ? null : expectedOf(expectation),
    observed: known.seen === null ? null : observedOf(known.seen),
    owner,
    evidence: [...evidenceOf(chosen, charges), ...vouchers.map(voucherEvidence)],
    causePath: chosen.causedByDirectory ? (known.above?.path ?? null) : null,
    foundAt: chosen.foundAt ?? null,
    recoverable: chosen.foundAt ? 'orphan' : null,
    remedy: remedyOf(known, chosen),
    ...amongLosses(known, chosen, charges, vouchers),
  };
}

/** Content that is not as a manifest has it was changed by somebody, or is what a weaker charge says. */
function amongLosses(
  known: PathCase,
  chosen: Charge,
  charges: readonly Charge[],
  vouchers: readonly string[],
): Pick<Finding, 'amongLosses'> {
  const raisable = charges.filter(({ rule, verdict }) => rule.raisedByLosses === true && verdict !== 'altered');
  const other = chosen.verdict === 'altered' ? choose(raisable) : null;
  return other === null ? {} : { amongLosses: findingOf(known, other, charges, vouchers) };
}

/**
 * What went back is harmed, whichever rule has the word. A finding without ranges is of the whole content anyhow, except that a
 * name is back: that says nothing of what it leads to.
 */
function rangesOfFinding(known: PathCase, chosen: Charge, charges: readonly Charge[]): Finding['ranges'] {
  const ranges = chosen.ranges ?? rangesOfAgreeing(chosen, charges);
  const isOfWhole = ranges.length === 0 && chosen.verdict !== 'resurrected';
  const isOfSome = !isOfWhole && charges.some(({ rule }) => HISTORY_RULES.includes(rule));
  return isOfSome ? withGoneBack(ranges, known) : ranges;
}

/** A manifest tells that the content is wrong, not where: a charge of the same verdict may, however sure it is. */
function rangesOfAgreeing(chosen: Charge, charges: readonly Charge[]): Finding['ranges'] {
  return charges.find(charge => charge.verdict === chosen.verdict && charge.ranges !== undefined)?.ranges ?? [];
}

/** The chosen charge first, then those that agree with it; hints of another kind are left out once something is known. */
function evidenceOf(chosen: Charge, charges: readonly Charge[]): Evidence[] {
  const others = charges.filter(charge => charge !== chosen && !isWeaker(charge.confidence, chosen.confidence));
  return [chosen, ...others].map(charge => ({
    scanner: charge.rule.scanner,
    rule: charge.rule.name,
    supports: true,
    detail: charge.detail,
  }));
}

function isWeaker(left: Confidence, right: Confidence): boolean {
  return left === 'possible' && right !== 'possible';
}

function voucherEvidence(reference: string): Evidence {
  return { scanner: reference, rule: 'vouches', supports: false, detail: `${reference} has this content for it.` };
}

function expectedOf(expectation: Expectation): FindingExpected {
  const { reference, sizeBytes, stat } = expectation;
  return { reference, sizeBytes, digest: anyDigest(expectation.digests), mtimeNs: stat?.mtimeNs ?? null };
}

function observedOf(seen: Seen): FindingObserved {
  const sizeBytes = seen.content?.state === 'read' ? seen.content.sizeBytes : (seen.stat?.sizeBytes ?? null);
  return { sizeBytes, digest: anyDigest(seen.content?.digests ?? {}), stat: seen.stat };
}

function anyDigest(digests: Expectation['digests']): string | null {
  for (const algorithm of ['sha256', 'sha1', 'md5'] as const) {
    if (digests[algorithm] !== undefined) return `${algorithm}:${digests[algorithm]}`;
  }
  return null;
}

function remedyOf(known: PathCase, chosen: Charge): Finding['remedy'] {
  if (chosen.verdict === 'suspect')
    return { action: 'inspect', detail: 'Look at it; no reference could.', command: null };
  const remedied = known.expected.find(expected => expected.remedy !== null) ?? null;
  const isThere = known.seen !== null;
  if (remedied !== null && !(remedied.editable && isThere)) return remedied.remedy;
  if (remedied !== null && chosen.verdict !== 'unreadable') return comparisonWith(remedied.owner);
  if (chosen.foundAt) return { action: 'extract', detail: 'Its content lies in lost+found.', command: null };
  if (chosen.verdict === 'resurrected')
    return { action: 'inspect', detail: 'It had been deleted or renamed: delete it again if so.', command: null };
  if (chosen.verdict === 'altered') return { action: 'inspect', detail: 'Compare it with a backup.', command: null };
  const what = chosen.metadataOnly ? 'its mode, owner and times' : 'it';
  return { action: 'restore', detail: `Restore ${what} from a backup that has the expected state.`, command: null };
}

/** A configuration file that is there may hold somebody's work: no command may replace it. */
function comparisonWith(owner: Owner | null): Remedy {
  const whose = owner === null ? 'its package' : `the package ${[owner.name, owner.version ?? ''].join(' ').trim()}`;
  return { action: 'inspect', detail: `Compare it with the one that ${whose} brings.`, command: null };
}
