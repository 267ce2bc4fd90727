// Counts which blocks that went back a report names, and which it names that did not. Pure.

import type { Confidence } from '../../src/model.ts';
import type { RevertedBlock } from './backup-series.ts';

/** What scoring reads of a report (`lostwrite-report`, version 1). */
export interface HistoryReport {
  readonly blocks: readonly { readonly block: number; readonly rule: string; readonly confidence: Confidence }[];
  readonly findings: readonly HistoryFinding[];
}

export interface HistoryFinding {
  readonly path: string;
  readonly verdict: string;
  readonly confidence: Confidence;
  readonly metadataOnly: boolean;
  readonly ranges: readonly { readonly offset: number; readonly length: number; readonly physical: number | null }[];
  readonly observed: { readonly inode: number } | null;
  readonly evidence: readonly { readonly rule: string }[];
}

/** Why a block that went back cannot be told by its history. */
export type Beyond = 'zeros' | 'common' | 'free';

export interface HistoryScore {
  /** Blocks that went back and could be told, by what they hold; those that are named; those that are named as more than a hint. */
  readonly byRole: Readonly<
    Record<string, { readonly reverted: number; readonly named: number; readonly sure: number }>
  >;
  readonly beyond: Readonly<Record<Beyond, number>>;
  /** Blocks that are said to have gone back, and did not. */
  readonly falselyNamed: number;
  readonly falselySure: number;
}

export const EMPTY: HistoryScore = {
  byRole: {},
  beyond: { zeros: 0, common: 0, free: 0 },
  falselyNamed: 0,
  falselySure: 0,
};

/** Blocks named by a report: by block, whether it is more than a hint. */
export type Named = ReadonlyMap<number, boolean>;

export interface NamedBlocks {
  /** In the list of blocks, or in the ranges of a finding. */
  readonly all: Named;
  /** Those of which it is said that they went back. */
  readonly goneBack: Named;
}

const RULE_OF_FILES = 'block-went-back';
const RULE_OF_STRUCTURES = /^went-back-to:/;

/** @param placesOf where each block of an inode lies, physical by logical. */
export function namedBlocks(
  report: HistoryReport,
  blockBytes: number,
  placesOf: (inode: number) => ReadonlyMap<number, number>,
): NamedBlocks {
  const [all, goneBack] = [new Map<number, boolean>(), new Map<number, boolean>()];
  const name = (into: Map<number, boolean>, block: number, confidence: Confidence): void => {
    into.set(block, into.get(block) === true || confidence !== 'possible');
  };
  for (const { block, rule, confidence } of report.blocks) {
    name(all, block, confidence);
    if (RULE_OF_STRUCTURES.test(rule)) name(goneBack, block, confidence);
  }
  for (const finding of report.findings) {
    for (const block of blocksOf(finding, blockBytes, placesOf)) {
      name(all, block, finding.confidence);
      if (finding.evidence[0]?.rule === RULE_OF_FILES) name(goneBack, block, finding.confidence);
    }
  }
  return { all, goneBack };
}

const WHOLE_WITHOUT_RANGES: readonly string[] = ['garbage', 'stale', 'unreadable'];
/** Without ranges these say that the file changed, or that its name is back: nothing of its blocks. */
const NOTHING_WITHOUT_RANGES: readonly string[] = ['altered', 'resurrected'];

function* blocksOf(
  { verdict, metadataOnly, ranges, observed }: HistoryFinding,
  blockBytes: number,
  placesOf: (inode: number) => ReadonlyMap<number, number>,
): Iterable<number> {
  if (observed === null || ![...WHOLE_WITHOUT_RANGES, ...NOTHING_WITHOUT_RANGES].includes(verdict)) return;
  const places = placesOf(observed.inode);
  if (ranges.length === 0 && !metadataOnly && WHOLE_WITHOUT_RANGES.includes(verdict)) yield* places.values();
  for (const { offset, length, physical } of ranges) {
    if (physical !== null) yield Math.floor(physical / blockBytes);
    for (let at = Math.floor(offset / blockBytes); at * blockBytes < offset + length; at++) {
      const place = places.get(at);
      if (place !== undefined) yield place;
    }
  }
}

export interface HistoryTruth {
  readonly reverted: readonly RevertedBlock[];
  /** Why a block is beyond reach, or null. */
  readonly beyondOf: (block: number) => Beyond | null;
}

export function scoreHistory({ reverted, beyondOf }: HistoryTruth, { all, goneBack }: NamedBlocks): HistoryScore {
  const byRole: Record<string, { reverted: number; named: number; sure: number }> = {};
  const beyond = { ...EMPTY.beyond };
  for (const { block, role } of reverted) {
    const why = beyondOf(block);
    if (why !== null) {
      beyond[why]++;
      continue;
    }
    const counts = byRole[role] ?? { reverted: 0, named: 0, sure: 0 };
    byRole[role] = counts;
    counts.reverted++;
    if (all.has(block)) counts.named++;
    if (all.get(block) === true) counts.sure++;
  }
  const went = new Set(reverted.map(({ block }) => block));
  const wrong = [...goneBack].filter(([block]) => !went.has(block));
  return { byRole, beyond, falselyNamed: wrong.length, falselySure: wrong.filter(([, isSure]) => isSure).length };
}

export function addScores(left: HistoryScore, right: HistoryScore): HistoryScore {
  const roles = [...new Set([...Object.keys(left.byRole), ...Object.keys(right.byRole)])].sort();
  const sum = (role: string, what: 'reverted' | 'named' | 'sure'): number =>
    (left.byRole[role]?.[what] ?? 0) + (right.byRole[role]?.[what] ?? 0);
  return {
    byRole: Object.fromEntries(
      roles.map(role => [
        role,
        { reverted: sum(role, 'reverted'), named: sum(role, 'named'), sure: sum(role, 'sure') },
      ]),
    ),
    beyond: {
      zeros: left.beyond.zeros + right.beyond.zeros,
      common: left.beyond.common + right.beyond.common,
      free: left.beyond.free + right.beyond.free,
    },
    falselyNamed: left.falselyNamed + right.falselyNamed,
    falselySure: left.falselySure + right.falselySure,
  };
}
