// The engine's front: a scan and an explanation from options to answer. The wiring, no knowledge.

import { randomUUID } from 'node:crypto';
import { STRUCTURE_SCANNERS } from '../scanners/index.ts';
import { UsageError } from './errors.ts';
import { blockDays } from './judge/block-days.ts';
import type { BytePath, ScanError, Skipped, VolumeFacts } from './model.ts';
import { comparePaths } from './path.ts';
import type { Explained, Explanation } from './report/explanation.ts';
import type { Report, ReportBlock } from './report/report.ts';
import { captureBefore } from './run/before.ts';
import { Breath } from './run/breath.ts';
import { containerBlocks, withTells } from './run/container-tells.ts';
import { damageOf } from './run/damage-records.ts';
import type { JudgedPath } from './run/judge-tree.ts';
import { type JudgedScan, judgeScan } from './run/judged-scan.ts';
import { nowNs } from './run/now.ts';
import type { RunHooks, ScanOptions, ScanOutcome } from './run/options.ts';
import { outdatedBlocks } from './run/report-blocks.ts';
import { residentsOf } from './run/residents.ts';
import {
  closeSession,
  infosOf,
  openSession,
  referencesOf,
  type Session,
  type SessionParts,
  withVolumeScans,
} from './run/session.ts';
import { containerTroubles, unexamined } from './run/unexamined.ts';
import { examineVolume, judgeVolume, type VolumeScan } from './run/volume-scan.ts';
import { VERSION } from './version.ts';

export { dropBaseline, listBaselines, showBaseline } from './run/baselines.ts';
export { createBaseline } from './run/create-baseline.ts';
export { inspect } from './run/inspect.ts';
export { identityOf } from './tree/open-target.ts';

/**
 * Scans a target. UsageError when target, store or a named reference cannot be opened; UnsupportedError, DamageError or
 * ReadError for an image of which nothing can be read. Findings stay in the store until the outcome is closed.
 */
export async function scan(options: ScanOptions, hooks: RunHooks): Promise<ScanOutcome> {
  assertScanners(options.scanners);
  const before = await captureBefore(options, hooks);
  const session = openWith(options, hooks, { purpose: 'scan', before });
  try {
    noteOtherTarget(session);
    noteUnplaced(session);
    const report = await withVolumeScans(
      session,
      () => !options.metadataOnly,
      async (scans, watch) => {
        const whole = await examineAll(scans);
        const breath = new Breath(() => watch.pool.cancelled);
        const judged = await judgeScan(session.run, judgeAll(scans, breath), options);
        const bytesRead = watch.pool.counts().bytes;
        const extents = await residentsOf(judged.hits, scans);
        return reportOf(session, { ...judged, extents }, { whole: whole && !breath.stopped, bytesRead });
      },
    );
    return { report, close: keep => closeSession(session, keep) };
  } catch (error) {
    closeSession(session, true);
    throw error;
  }
}

/**
 * Everything known of one path: the whole tree is listed, for what other paths' inodes say, and one file is read.
 * Throws like scan. A target's volumes may each have the path.
 */
export async function explain(options: ScanOptions, path: BytePath, hooks: RunHooks): Promise<Explained> {
  const before = await captureBefore(options, hooks);
  const session = openWith({ ...options, resume: 'never', captures: true }, hooks, {
    purpose: `explain ${path}`,
    before,
  });
  try {
    return await withVolumeScans(
      session,
      entry => entry.path === path,
      async (scans, watch) => {
        await examineAll(scans);
        const explanations: Explanation[] = [];
        for await (const { known, judgement } of judgeAll(scans, new Breath(() => watch.pool.cancelled))) {
          if (known.path !== path) continue;
          const { volume, seen, logged, observations } = known;
          const expected = logged === null ? known.expected : [...known.expected, logged];
          const days = blockDays(known);
          explanations.push({ volume, seen, expected, observations, finding: judgement.finding, days });
        }
        return { volumes: session.target.volumes.map(volume => volume.facts), explanations };
      },
    );
  } finally {
    closeSession(session, false);
  }
}

/** What was captured for the session alone is closed with it, and when it cannot be opened. */
function openWith(options: ScanOptions, hooks: RunHooks, parts: SessionParts): Session {
  try {
    return openSession(options, hooks, { ...parts, judges: true });
  } catch (error) {
    parts.before?.close();
    throw error;
  }
}

/** One disk may be called differently, and two disks the same: a person knows, so a person is told. */
function noteOtherTarget({ baselines, options, hooks }: Session): void {
  const { baseline, target } = options;
  const newest = baseline === null ? undefined : baselines.generations(baseline).at(-1);
  if (newest === undefined || newest.target === target.name) return;
  hooks.onNotice(`baseline ${baseline} was made of ${newest.target}: it is compared with ${target.name} all the same`);
}

/** Of a logical volume the pieces are not followed: places on the host's disk would be wrong. */
function noteUnplaced({ options, volumes, hooks }: Session): void {
  if (options.stripeBytes == null && (options.suspectExtents ?? []).length === 0) return;
  for (const { index, extent } of volumes) {
    if (extent === null) hooks.onNotice(`volume ${index} lies on the disk in pieces: its findings have no place there`);
  }
}

function assertScanners(names: readonly string[] | null): void {
  const known = STRUCTURE_SCANNERS.map(scanner => scanner.name);
  const unknown = names?.find(name => !known.includes(name));
  if (unknown === undefined) return;
  throw new UsageError(`--scanner: "${unknown}": no such scanner; there is ${known.join(', ')}`);
}

async function examineAll(scans: readonly VolumeScan[]): Promise<boolean> {
  let whole = true;
  for (const volume of scans) whole = (await examineVolume(volume)) && whole;
  return whole;
}

async function* judgeAll(scans: readonly VolumeScan[], breath: Breath): AsyncIterable<JudgedPath> {
  for (const volume of scans) yield* judgeVolume(volume, breath);
}

/** Of a scan that was interrupted. */
const STOPPED: ScanError = {
  path: '/',
  code: 'interrupted',
  message: 'the scan was stopped before its end: what it had not read yet is neither vouched for nor accused',
};

type ReportedScan = JudgedScan & Pick<Report, 'extents'>;

function reportOf(session: Session, judged: ReportedScan, examined: { whole: boolean; bytesRead: number }): Report {
  const { options, target, volumes, startedAtNs } = session;
  const { tally, verdicts, hasFindings, orphans } = judged;
  const { files, directories, vouched, atRisk, unvouched, skipped, byReference } = tally;
  const finishedAtNs = nowNs();
  const durationMs = Number((finishedAtNs - startedAtNs) / 1_000_000n);
  const { bytesRead, whole } = examined;
  const { kind, name, path } = options.target;
  const unread = unexamined(target);
  const complete = whole && tally.unexamined === 0 && unread.length === 0;
  const infos = infosOf(volumes);
  const facts = target.volumes.map(volume => withLog(volume.facts, volumes));
  const survey = target.survey();
  return {
    tool: { name: 'lostwrite', version: VERSION },
    run: { id: randomUUID(), startedAtNs, finishedAtNs, complete },
    target: { kind, name, path, container: target.container, volumes: facts.map(each => withTells(each, survey)) },
    window: options.window,
    references: infos.map(info => ({ ...info, files: tally.filesByReference.get(info.id) ?? 0 })),
    summary: { files, directories, bytesRead, durationMs, vouched, atRisk, hasFindings, verdicts },
    coverage: { byReference, unvouched, skipped: inTreeOrder([...skipped, ...session.mounts]) },
    findings: () => judged.findings.findings(),
    blocks: [...containerBlocks(survey, facts), ...blocksOf(session)],
    orphans,
    extents: judged.extents,
    errors: [
      ...(whole ? [] : [STOPPED]),
      ...unread,
      ...containerTroubles(target),
      ...target.volumes.flatMap(volume => damageOf(session.run, volume)),
      ...volumes.flatMap(volume => referencesOf(volume).flatMap(reference => reference.errors)),
    ],
  };
}

/** Ascending by volume and block; what two witnesses say of one block is told once, by the file system's own log first. */
function blocksOf({ blocks, volumes }: Session): ReportBlock[] {
  const outdated = volumes.flatMap(({ index, log }) => (log === null ? [] : outdatedBlocks(index, log.state)));
  const byPlace = new Map([...blocks, ...outdated].map(each => [`${each.volume}:${each.block}`, each]));
  return [...byPlace.values()].sort((left, right) => left.volume - right.volume || left.block - right.block);
}

function withLog(facts: VolumeFacts, volumes: Session['volumes']): VolumeFacts {
  const state = volumes.find(({ index }) => index === facts.index)?.log?.state ?? null;
  return state === null ? facts : { ...facts, log: { fromNs: state.fromNs, toNs: state.toNs, holes: state.holes } };
}

function inTreeOrder(skipped: readonly Skipped[]): Skipped[] {
  return skipped.toSorted((left, right) => left.volume - right.volume || comparePaths(left.path, right.path));
}
