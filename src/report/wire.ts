// The parts of a Report as schema.ts puts them on the wire. Pure; nothing here knows JSON's text.

import type {
  BytePath,
  Finding,
  FindingObserved,
  Nanoseconds,
  ScanError,
  Skipped,
  VolumeFacts,
  Window,
} from '../model.ts';
import { pathText } from './path-text.ts';
import type { Report, ReportBlock, ReportExtent, ReportOrphan, ReportTarget, ResidentPath } from './report.ts';
import type { WireError, WireExtent, WireFinding, WireOrphan, WireReport, WireSkipped, WireTarget } from './schema.ts';
import { rfc3339 } from './time.ts';

/** A number up to 2^53-1, above it its decimal digits. */
function wireInteger(value: number | bigint): number | string {
  return value > Number.MAX_SAFE_INTEGER ? String(BigInt(value)) : Number(value);
}

function wireIntegerOrNull(value: number | bigint | null): number | string | null {
  return value === null ? null : wireInteger(value);
}

function wireTime(timeNs: Nanoseconds | null): string | null {
  return timeNs === null ? null : rfc3339(timeNs);
}

/** The times of the run itself come from this machine's clock. */
function wireClock(timeNs: Nanoseconds): string {
  const text = rfc3339(timeNs);
  if (text === null) throw new RangeError(`the clock says ${timeNs} ns since 1970`);
  return text;
}

function wirePath(path: BytePath): { path: string; pathBase64?: string } {
  const { text, base64 } = pathText(path);
  return base64 === null ? { path: text } : { path: text, pathBase64: base64 };
}

type WireHead = Pick<
  WireReport,
  'format' | 'version' | 'tool' | 'run' | 'target' | 'window' | 'references' | 'summary'
>;

/** Everything that stands before the lists. */
export function wireHead(report: Report): WireHead {
  return {
    format: 'lostwrite-report',
    version: 1,
    tool: { name: report.tool.name, version: report.tool.version },
    run: {
      id: report.run.id,
      startedAt: wireClock(report.run.startedAtNs),
      finishedAt: wireClock(report.run.finishedAtNs),
      complete: report.run.complete,
    },
    target: wireTarget(report.target),
    window: wireWindow(report.window),
    references: wireReferences(report),
    summary: wireSummary(report),
  };
}

function wireTarget(target: ReportTarget): WireTarget {
  const { kind, name, path, container } = target;
  return { kind, name, path, container, volumes: target.volumes.map(wireVolume) };
}

export function wireVolume(volume: VolumeFacts): WireTarget['volumes'][number] {
  const { index, filesystem, uuid, label, state, replayed, hot, log } = volume;
  return {
    index,
    filesystem,
    uuid,
    label,
    offset: wireIntegerOrNull(volume.offset),
    size: wireIntegerOrNull(volume.size),
    state,
    replayed,
    repairedAt: wireTime(volume.repairedAtNs),
    hot,
    log: log === null ? null : { from: wireTime(log.fromNs), to: wireTime(log.toNs), holes: log.holes },
    gates: [...volume.gates],
  };
}

function wireWindow(window: Window | null): WireReport['window'] {
  return window === null ? null : { from: wireTime(window.fromNs), to: wireTime(window.toNs) };
}

function wireReferences(report: Report): WireReport['references'] {
  return report.references.map(({ id, kind, files, atNs, vouches }) => ({
    id,
    kind,
    files,
    at: wireTime(atNs),
    vouches,
  }));
}

function wireSummary(report: Report): WireReport['summary'] {
  const { files, directories, bytesRead, durationMs, vouched, atRisk, hasFindings, verdicts } = report.summary;
  const { unreadable, garbage, stale, missing, resurrected, altered, suspect } = verdicts;
  return {
    files,
    directories,
    bytesRead: wireInteger(bytesRead),
    durationMs,
    vouched,
    atRisk,
    hasFindings,
    verdicts: { unreadable, garbage, stale, missing, resurrected, altered, suspect },
  };
}

/** `id` and `cause` are finding-id.ts's work. */
export function wireFinding(finding: Finding, id: string, cause: string | null): WireFinding {
  return {
    id,
    ...wirePath(finding.path),
    volume: finding.volume,
    type: finding.type,
    verdict: finding.verdict,
    confidence: finding.confidence,
    metadataOnly: finding.metadataOnly,
    window: { file: finding.window.file, directory: finding.window.directory },
    ranges: wireRanges(finding),
    expected: wireExpected(finding),
    observed: finding.observed === null ? null : wireObserved(finding.observed),
    owner: wireOwner(finding),
    evidence: finding.evidence.map(({ scanner, rule, supports, detail }) => ({ scanner, rule, supports, detail })),
    cause,
    ...wireFoundAt(finding.foundAt),
    recoverable: finding.recoverable,
    remedy: wireRemedy(finding),
  };
}

function wireRanges(finding: Finding): WireFinding['ranges'] {
  return finding.ranges.map(({ offset, length, state, physical, detail }) => ({
    offset: wireInteger(offset),
    length: wireInteger(length),
    state,
    physical: wireIntegerOrNull(physical),
    detail,
  }));
}

function wireExpected(finding: Finding): WireFinding['expected'] {
  if (finding.expected === null) return null;
  const { reference, sizeBytes, digest, mtimeNs } = finding.expected;
  return { reference, size: wireIntegerOrNull(sizeBytes), digest, mtime: wireTime(mtimeNs) };
}

function wireObserved(observed: FindingObserved): WireFinding['observed'] {
  const { sizeBytes, digest, stat } = observed;
  return {
    size: wireIntegerOrNull(sizeBytes),
    digest,
    mtime: wireTime(stat?.mtimeNs ?? null),
    ctime: wireTime(stat?.ctimeNs ?? null),
    inode: wireIntegerOrNull(stat?.inode ?? null),
    generation: stat?.generation ?? null,
    mode: stat === null ? null : stat.mode.toString(8).padStart(4, '0'),
  };
}

function wireOwner(finding: Finding): WireFinding['owner'] {
  if (finding.owner === null) return null;
  const { kind, name, version } = finding.owner;
  return { kind, name, version };
}

function wireFoundAt(foundAt: BytePath | null): { foundAt: string | null; foundAtBase64?: string } {
  if (foundAt === null) return { foundAt: null };
  const { text, base64 } = pathText(foundAt);
  return base64 === null ? { foundAt: text } : { foundAt: text, foundAtBase64: base64 };
}

function wireRemedy(finding: Finding): WireFinding['remedy'] {
  if (finding.remedy === null) return null;
  const { action, detail, command } = finding.remedy;
  return { action, detail, command };
}

export function wireSkipped(skipped: Skipped): WireSkipped {
  return { volume: skipped.volume, ...wirePath(skipped.path), reason: skipped.reason };
}

export function wireBlock(block: ReportBlock): WireReport['blocks'][number] {
  const { volume, role, rule, confidence, entries, detail } = block;
  const place = { volume, block: wireInteger(block.block), role, rule, confidence, entries };
  return detail === undefined ? place : { ...place, detail };
}

export function wireOrphan(orphan: ReportOrphan): WireOrphan {
  const { volume, inode, generation, sizeBytes, digest } = orphan;
  const candidates = orphan.candidates.map(pathText);
  return {
    volume,
    inode: wireInteger(inode),
    generation,
    size: wireInteger(sizeBytes),
    digest,
    candidates: candidates.map(candidate => candidate.text),
    ...candidateBytes(
      orphan.candidates,
      candidates.some(candidate => candidate.base64 !== null),
    ),
  };
}

function candidateBytes(candidates: readonly BytePath[], wanted: boolean): { candidatesBase64?: string[] } {
  if (!wanted) return {};
  return { candidatesBase64: candidates.map(path => Buffer.from(path, 'latin1').toString('base64')) };
}

export function wireExtent(extent: ReportExtent): WireExtent {
  const { suspect, findings, residents } = extent;
  const resident = ({ volume, path }: ResidentPath) => ({ volume, ...wirePath(path) });
  return {
    offset: wireInteger(extent.offset),
    length: wireInteger(extent.length),
    suspect,
    findings,
    paths: extent.paths.map(resident),
    residents,
    others: extent.others.map(resident),
    structures: extent.structures.map(({ volume, role, bytes }) => ({ volume, role, bytes: wireInteger(bytes) })),
    freeBytes: wireInteger(extent.freeBytes),
    outsideBytes: wireInteger(extent.outsideBytes),
  };
}

export function wireError(error: ScanError): WireError {
  return { ...wirePath(error.path), code: error.code, message: error.message };
}
