// Renders a report as the JSON that schema.ts describes, piece by piece: one finding a line, and never more than a chunk of
// them in memory.

import type { Finding } from '../model.ts';
import { createAncestry } from './ancestry.ts';
import { findingId, volumeIdentity } from './finding-id.ts';
import type { Report } from './report.ts';
import type { WireFinding } from './schema.ts';
import { wireBlock, wireError, wireExtent, wireFinding, wireHead, wireOrphan, wireSkipped } from './wire.ts';

/** Characters gathered before a chunk is handed over: few writes, little memory. */
const CHUNK_CHARACTERS = 65_536;

/** Legal inside JSON, yet able to steer the terminal of whoever looks at the file: written as escapes. */
const STEERING = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** The whole report as chunks of text, ending with a newline. */
export function* renderJson(report: Report): Generator<string> {
  let chunk = '';
  for (const piece of pieces(report)) {
    chunk += piece;
    if (chunk.length < CHUNK_CHARACTERS) continue;
    yield chunk;
    chunk = '';
  }
  yield chunk;
}

function* pieces(report: Report): Generator<string> {
  const head = Object.entries(wireHead(report)).map(([name, value]) => `${jsonText(name)}:${jsonText(value)}`);
  yield `{\n${head.join(',\n')},\n`;
  yield* coverage(report);
  yield* list('findings', wireFindings(report), finding => finding);
  yield ',\n';
  yield* list('blocks', report.blocks, wireBlock);
  yield ',\n';
  yield* list('orphans', report.orphans, wireOrphan);
  yield ',\n';
  yield* list('extents', report.extents, wireExtent);
  yield ',\n';
  yield* list('errors', report.errors, wireError);
  yield '\n}\n';
}

function* coverage(report: Report): Generator<string> {
  const { byReference, unvouched, skipped } = report.coverage;
  yield `"coverage":{"byReference":${jsonText(Object.fromEntries(byReference))},"unvouched":${unvouched},`;
  yield* list('skipped', skipped, wireSkipped);
  yield '},\n';
}

function* list<Item>(name: string, items: Iterable<Item>, toWire: (item: Item) => unknown): Generator<string> {
  yield `${jsonText(name)}:[`;
  let separator = '\n';
  for (const item of items) {
    yield separator + jsonText(toWire(item));
    separator = ',\n';
  }
  yield separator === '\n' ? ']' : '\n]';
}

function* wireFindings(report: Report): Generator<WireFinding> {
  const ids = createAncestry<string>();
  const volumes = new Map<number, string>();
  for (const finding of report.findings()) {
    const cause = ids.cause(finding);
    const id = findingId(identity(report, volumes, finding), finding.path, finding.verdict);
    ids.enter(finding, id);
    yield wireFinding(finding, id, cause);
  }
}

function identity(report: Report, known: Map<number, string>, finding: Finding): string {
  const found = known.get(finding.volume) ?? volumeIdentity(report.target.volumes, finding.volume);
  known.set(finding.volume, found);
  return found;
}

function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(STEERING, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
