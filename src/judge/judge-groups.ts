// Looks across paths: losses come in clusters, and a manifest or a whole volume may be the stale party. Two passes: count,
// then correct each finding by the counts. Pure, and linear in findings, not in files.

import { byteFigure } from '../figures.ts';
import type { BytePath, Evidence, Finding } from '../model.ts';
import { countLoss, type HostExtents, isAloneAmongLanded, lossesAround, newHostExtents } from './host-extents.ts';
import { directoryKey, type NameChanges, NO_CHANGES } from './name-changes.ts';
import { RULE_BY_NAME } from './rule-table.ts';

/** Paths of one package, whether they have a finding or not. */
export interface PackageCounts {
  /** Files with a digest in the manifest. */
  files: number;
  differing: number;
}

export interface Counters {
  readonly packages: Map<string, PackageCounts>;
  /** Findings beyond doubt by volume, those that groups raise aside. */
  readonly losses: Map<number, number>;
  /** The same of content that did not arrive. */
  readonly lossesOfContent: Map<number, number>;
  /** By volume: hints of rules whose innocent explanations are rare accidents. */
  readonly rareHints: Map<number, number>;
  /** By volume and directory: names of it that went back beyond doubt. */
  readonly namesBack: Map<string, number>;
  /** By volume and directory: what became of the names that changed between the last two generations. */
  readonly names: Map<string, NameChanges>;
  /** By volume: paths that changed between the last two generations, and those of them that are as in the older one. */
  readonly changed: Map<number, ChangedCounts>;
  /** What became of the host's extents; null when their size is not known. */
  readonly extents: HostExtents | null;
}

export interface ChangedCounts {
  changed: number;
  wentBack: number;
}

/** @param stripeBytes the size of the host's extents, or null. */
export function newCounters(stripeBytes: number | null = null): Counters {
  return {
    packages: new Map(),
    losses: new Map(),
    lossesOfContent: new Map(),
    rareHints: new Map(),
    namesBack: new Map(),
    names: new Map(),
    changed: new Map(),
    extents: stripeBytes === null ? null : newHostExtents(stripeBytes),
  };
}

/** So many losses beyond doubt make a volume a damaged one; one alone may be a case of its own. */
const LOSSES_BEYOND_DOUBT = 3;
/** evidence.md: at least this share of a package's files, and at least so many, before the manifest is the stale party. */
const STALE_MANIFEST_SHARE = 0.9;
const STALE_MANIFEST_FILES = 5;
/** A volume of which this share of the changes is undone was restored from the older state, not damaged. */
const RESTORED_SHARE = 0.97;
const RESTORED_CHANGES = 20;

/** To be called for every finding of judgePath before judgeGroups: counts what is beyond doubt. */
export function countFinding(counters: Counters, finding: Finding): void {
  if (finding.confidence === 'possible' && RULE_BY_NAME.get(finding.evidence[0]?.rule ?? '')?.severalAreLosses) {
    countOne(counters.rareHints, finding.volume);
  }
  if (finding.confidence === 'possible' || finding.causePath !== null) return;
  if (['altered', 'suspect'].includes(finding.verdict)) return;
  if (finding.verdict === 'unreadable' && finding.evidence[0]?.rule !== 'name-leads-nowhere') return;
  if (finding.evidence[0]?.scanner === 'packages') return;
  const isOfContent = RULE_BY_NAME.get(finding.evidence[0]?.rule ?? '')?.isLossOfContent && !finding.metadataOnly;
  countOne(counters.losses, finding.volume);
  if (isOfContent) countOne(counters.lossesOfContent, finding.volume);
  if (counters.extents !== null) countLoss(counters.extents, finding);
  if (finding.verdict !== 'missing' && finding.verdict !== 'resurrected') return;
  const directory = directoryKey(finding);
  countOne(counters.namesBack, directory);
}

function countOne<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** Corrects findings by what their groups say, in their order, and drops hints that nothing raised. */
export function* judgeGroups(findings: Iterable<Finding>, counters: Counters): Iterable<Finding> {
  const causes = new Map<string, Finding>();
  const dropped = new Set<string>();
  for (const finding of findings) {
    const judged = corrected(asItsCause(finding, causes), counters);
    const key = keyOf(judged.volume, judged.path);
    if (isDropped(judged, dropped)) dropped.add(key);
    else {
      if (judged !== finding) causes.set(key, judged);
      yield judged;
    }
  }
}

function keyOf(volume: number, path: BytePath): string {
  return `${volume}:${path}`;
}

/** With what is only known through the directory above. */
function isDropped(finding: Finding, dropped: ReadonlySet<string>): boolean {
  if (finding.confidence !== 'possible') return false;
  if (finding.causePath !== null && dropped.has(keyOf(finding.volume, finding.causePath))) return true;
  return finding.evidence.every(evidence => RULE_BY_NAME.get(evidence.rule)?.droppedUnlessRaised === true);
}

const RAISES = [raisedByExtent, raisedByLosses, raisedByDirectory, allUndone];

/** What a group explains is not raised again, and a restored volume has no losses that could raise anything. */
function corrected(finding: Finding, counters: Counters): Finding {
  const counts = counters.changed.get(finding.volume);
  if (counts !== undefined && isRestored(counts)) return asRestored(finding, counts);
  const lowered = staleManifest(finding, counters);
  return lowered === finding ? raised(finding, counters) : lowered;
}

/** What is altered by its manifest may be more than that. */
function raised(finding: Finding, counters: Counters): Finding {
  const { amongLosses, ...alone } = finding;
  if (amongLosses === undefined) return RAISES.reduce((left, raise) => raise(left, counters), finding);
  const other = raisedByLosses(amongLosses, counters);
  return other.confidence === 'possible' ? alone : other;
}

/** What is only known through the directory above is as sure as the directory's own finding became. */
function asItsCause(finding: Finding, causes: ReadonlyMap<string, Finding>): Finding {
  const cause = finding.causePath === null ? undefined : causes.get(keyOf(finding.volume, finding.causePath));
  if (cause === undefined || finding.confidence !== 'possible' || cause.confidence === 'possible') return finding;
  const why = `The finding of ${cause.path} was raised to ${cause.confidence}.`;
  const evidence = [...finding.evidence, groupEvidence('as-its-cause', true, why)];
  return { ...finding, confidence: cause.confidence, evidence };
}

/** Losses beyond doubt, with the rare hints where there are several of them. */
function lossesOf(volume: number, counters: Counters): number {
  const rareHints = counters.rareHints.get(volume) ?? 0;
  return (counters.losses.get(volume) ?? 0) + (rareHints < LOSSES_BEYOND_DOUBT ? 0 : rareHints);
}

function raisedByLosses(finding: Finding, counters: Counters): Finding {
  const rule = RULE_BY_NAME.get(finding.evidence[0]?.rule ?? '');
  if (finding.confidence !== 'possible' || !rule?.raisedByLosses) return finding;
  const { volume } = finding;
  const { needsLossesOfContent } = rule;
  const losses = needsLossesOfContent ? (counters.lossesOfContent.get(volume) ?? 0) : lossesOf(volume, counters);
  if (losses < LOSSES_BEYOND_DOUBT) return finding;
  if (counters.extents !== null && isAloneAmongLanded(counters.extents, finding)) return keptDown(finding);
  const what = needsLossesOfContent ? 'losses of content' : 'losses';
  const why = `${losses} ${what} on this volume are beyond doubt, and losses come in clusters.`;
  return {
    ...finding,
    confidence: 'likely',
    evidence: [...finding.evidence, groupEvidence('losses-come-in-clusters', true, why)],
  };
}

function raisedByExtent(finding: Finding, { extents }: Counters): Finding {
  const rule = RULE_BY_NAME.get(finding.evidence[0]?.rule ?? '');
  if (extents === null || finding.confidence !== 'possible') return finding;
  if (!rule?.raisedByLosses) return finding;
  const around = lossesAround(extents, finding);
  if (around === null) return finding;
  const why = `${around.losses} losses beyond doubt lie in the same ${byteFigure(extents.stripeBytes)} of the host (from byte ${around.offset} of the disk).`;
  const evidence = [...finding.evidence, groupEvidence('losses-in-its-extent', true, why)];
  return { ...finding, confidence: 'likely', evidence };
}

function keptDown(finding: Finding): Finding {
  const why = 'Much else in its part of the host was written since and did land, and nothing else there was lost.';
  return { ...finding, evidence: [...finding.evidence, groupEvidence('its-extent-landed', false, why)] };
}

/**
 * A name that was made since and is gone went back with the others, unless most of what was made stands: then the block went
 * back a little, or another one did.
 */
const KEPT_FOR_ONE_BACK = 2;

function raisedByDirectory(finding: Finding, counters: Counters): Finding {
  const key = directoryKey(finding);
  const counts = counters.names.get(key) ?? NO_CHANGES;
  const names = (counters.namesBack.get(key) ?? 0) + counts.replacedBeyondDoubt;
  if (finding.confidence !== 'possible' || names === 0) return finding;
  const rules = finding.evidence.flatMap(evidence => RULE_BY_NAME.get(evidence.rule) ?? []);
  if (!rules.some(rule => rule.raisedByDirectory)) return finding;
  const keptAtMost = rules.some(rule => rule.droppedUnlessRaised) ? 0 : names * KEPT_FOR_ONE_BACK;
  if (counts.kept > keptAtMost) return finding;
  const why = `${names} other name(s) of the directory went back beyond doubt.`;
  const evidence = [...finding.evidence, groupEvidence('directory-went-back', true, why)];
  return { ...finding, confidence: 'likely', evidence };
}

/** A life changes of the old and of the new; in a directory that went back all changes are undone, and nothing else. */
const CHANGES_AT_LEAST = 3;
/** Names that are back with their old inodes are rare in a life: with one of them fewer changes tell as much. */
const CHANGES_WITH_NAMES_BACK = 2;

function allUndone(finding: Finding, counters: Counters): Finding {
  if (finding.confidence !== 'possible' || lossesOf(finding.volume, counters) < LOSSES_BEYOND_DOUBT) return finding;
  if (!RULE_BY_NAME.get(finding.evidence[0]?.rule ?? '')?.raisedByDirectory) return finding;
  const counts = counters.names.get(directoryKey(finding)) ?? NO_CHANGES;
  if (!isAllUndone(counts)) return finding;
  const why = `All names made (${counts.made}), removed (${counts.removed}) or replaced (${counts.replaced}) in the directory between the generations are as before.`;
  return {
    ...finding,
    confidence: 'likely',
    evidence: [...finding.evidence, groupEvidence('directory-undone', true, why)],
  };
}

function isAllUndone(counts: NameChanges): boolean {
  const namesBack = counts.removedBack + counts.replacedBack;
  if (counts.madeGone < counts.made || namesBack < counts.removed + counts.replaced) return false;
  if (namesBack > 0) return counts.made + namesBack >= CHANGES_WITH_NAMES_BACK;
  return counts.olderGone === 0 && counts.made >= CHANGES_AT_LEAST;
}

function staleManifest(finding: Finding, counters: Counters): Finding {
  const counts = packageOf(finding, counters);
  if (counts === null || counts.files < STALE_MANIFEST_FILES) return finding;
  if (counts.differing < counts.files * STALE_MANIFEST_SHARE) return finding;
  const why = `${counts.differing} of ${counts.files} files of the package differ alike: its manifest is of another day, not the files.`;
  return {
    ...finding,
    verdict: 'altered',
    confidence: 'possible',
    evidence: [...finding.evidence, groupEvidence('manifest-is-stale', false, why)],
  };
}

function packageOf(finding: Finding, counters: Counters): PackageCounts | null {
  const first = finding.evidence[0];
  if (first?.scanner !== 'packages' || finding.owner === null || finding.verdict === 'missing') return null;
  return counters.packages.get(finding.owner.name) ?? null;
}

function isRestored({ changed, wentBack }: ChangedCounts): boolean {
  return changed >= RESTORED_CHANGES && wentBack >= changed * RESTORED_SHARE;
}

function asRestored(finding: Finding, counts: ChangedCounts): Finding {
  if (finding.evidence[0]?.scanner !== 'baseline' || finding.confidence === 'possible') return finding;
  const why = `${counts.wentBack} of ${counts.changed} changed paths are as they were before: the volume looks restored from that time.`;
  return {
    ...finding,
    verdict: 'altered',
    confidence: 'possible',
    evidence: [...finding.evidence, groupEvidence('restored-as-a-whole', false, why)],
  };
}

function groupEvidence(rule: string, supports: boolean, detail: string): Evidence {
  return { scanner: 'groups', rule, supports, detail };
}
