// The JSON report as it stands on the wire: the one source of its types and of report.schema.json.
// Every object may carry properties that are not named here: readers ignore what they do not know.

import { z } from 'zod';
import { CONFIDENCES, ENTRY_TYPES, VERDICTS } from '../model.ts';

const count = z.int().nonnegative();

/** Above 2^53-1 a string of digits: JSON's readers would round the number. */
const integer = z.union([count, z.string().regex(/^[1-9][0-9]{15,}$/)]).meta({
  id: 'Integer',
  description: 'A number up to 2^53-1, above it a string of decimal digits.',
});

const time = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/)
  .meta({ id: 'Time', format: 'date-time', description: 'RFC 3339, UTC, up to nine digits of a second.' });

const digest = z
  .string()
  .regex(/^[a-z0-9]+:[0-9a-f]+$/)
  .meta({ id: 'Digest', description: 'algorithm:hex' });

const path = z.string().meta({
  id: 'Path',
  description: 'Display text of an absolute path within its volume; U+FFFD stands for bytes that are not UTF-8.',
});

const base64 = z
  .string()
  .regex(/^[A-Za-z0-9+/]*={0,2}$/)
  .meta({ contentEncoding: 'base64' });

const pathBase64 = base64.optional().meta({
  description: "The path's true bytes; present only when they are not valid UTF-8.",
});

const verdict = z.enum(VERDICTS);
const confidence = z.enum(CONFIDENCES);
const windowPlace = z.enum(['inside', 'later', 'outside', 'unknown']);

const run = z.object({
  id: z.string(),
  startedAt: time,
  finishedAt: time,
  complete: z.boolean().meta({ description: 'False: something was left out; coverage, errors and findings say what.' }),
});

const volume = z.object({
  index: count,
  filesystem: z.string(),
  uuid: z.string().nullable(),
  label: z.string(),
  offset: integer.nullable().meta({ description: 'Bytes within the container; null for a mounted tree.' }),
  size: integer.nullable(),
  state: z.string(),
  replayed: z.boolean(),
  repairedAt: time.nullable(),
  hot: z.boolean().meta({ description: 'Copied or read while it was written to.' }),
  log: z.object({ from: time.nullable(), to: time.nullable(), holes: count }).nullable(),
  gates: z.array(z.string()),
});

const target = z.object({
  kind: z.enum(['directory', 'image']),
  name: z.string(),
  path: z.string(),
  container: z.string().nullable(),
  volumes: z.array(volume),
});

const suspectWindow = z.object({ from: time.nullable(), to: time.nullable() }).nullable();

const reference = z.object({
  id: z.string(),
  kind: z.enum(['packages', 'baseline', 'inventory', 'git', 'format', 'journal']),
  files: count,
  at: time.nullable(),
  vouches: z.enum(['content', 'not-garbage']),
});

const summary = z.object({
  files: count,
  directories: count,
  bytesRead: integer,
  durationMs: count,
  vouched: count,
  atRisk: count,
  hasFindings: z.boolean(),
  verdicts: z.object({
    unreadable: count,
    garbage: count,
    stale: count,
    missing: count,
    resurrected: count,
    altered: count,
    suspect: count,
  }),
});

const skipped = z.object({
  volume: count,
  path,
  pathBase64,
  reason: z.enum(['permission', 'encrypted', 'unsupported', 'special', 'excluded', 'changing']),
});

const byReference = z.record(z.string(), count);
const coverage = z.object({ byReference, unvouched: count, skipped: z.array(skipped) });

const range = z.object({
  offset: integer,
  length: integer,
  state: z.enum(['stale', 'garbage', 'zero', 'foreign', 'unreadable', 'unknown']),
  physical: integer.nullable(),
  detail: z.string().nullable(),
});

const expected = z.object({
  reference: z.string(),
  size: integer.nullable(),
  digest: digest.nullable(),
  mtime: time.nullable(),
});

const observed = z.object({
  size: integer.nullable(),
  digest: digest.nullable(),
  mtime: time.nullable(),
  ctime: time.nullable(),
  inode: integer.nullable(),
  generation: count.nullable(),
  mode: z
    .string()
    .regex(/^[0-7]{4}$/)
    .nullable()
    .meta({ description: 'Permission and set-id bits, octal.' }),
});

const owner = z.object({
  kind: z.enum(['package', 'application', 'database', 'filesystem']),
  name: z.string(),
  version: z.string().nullable(),
});

const evidence = z.object({
  scanner: z.string(),
  rule: z.string(),
  supports: z.boolean().meta({ description: 'For (true) or against (false) damage.' }),
  detail: z.string(),
});

const remedy = z.object({
  action: z.enum(['reinstall', 'redeploy', 'restore', 'extract', 'rebuild', 'inspect']),
  detail: z.string(),
  command: z.string().nullable(),
});

const finding = z.object({
  id: z.string().regex(/^[0-9a-f]{20}$/),
  path,
  pathBase64,
  volume: count,
  type: z.enum(ENTRY_TYPES).nullable(),
  verdict,
  confidence,
  metadataOnly: z.boolean(),
  window: z.object({ file: windowPlace, directory: windowPlace }),
  ranges: z.array(range),
  expected: expected.nullable(),
  observed: observed.nullable(),
  owner: owner.nullable(),
  evidence: z.array(evidence),
  cause: z.string().nullable().meta({ description: 'id of the finding that explains this one.' }),
  foundAt: path.nullable(),
  foundAtBase64: pathBase64,
  recoverable: z.enum(['journal', 'orphan', 'elsewhere']).nullable(),
  remedy: remedy.nullable(),
});

const block = z.object({
  volume: count,
  block: integer.meta({
    description: "Of the volume; for a role of the container's (qcow2-l1-table), the byte of its file.",
  }),
  role: z.string(),
  rule: z.string(),
  confidence: z.string(),
  entries: count,
  detail: z.string().optional(),
});

const orphan = z.object({
  volume: count,
  inode: integer,
  generation: count.nullable(),
  size: integer,
  digest: digest.nullable(),
  candidates: z.array(path),
  candidatesBase64: z
    .array(base64)
    .optional()
    .meta({ description: "All candidates' true bytes, in the same order; present only when one is not valid UTF-8." }),
});

const resident = z.object({ volume: count, path, pathBase64 });

const extent = z.object({
  offset: integer.meta({ description: "Bytes from the start of the container's disk." }),
  length: integer,
  suspect: z.boolean().meta({ description: 'Under suspicion by --suspect-extents; else a stripe of the host.' }),
  findings: count.meta({ description: 'Damaged paths whose harmed bytes lie in it.' }),
  paths: z.array(resident).meta({ description: 'The first of them.' }),
  residents: count.meta({ description: 'Other paths that have blocks in it.' }),
  others: z.array(resident).meta({ description: 'The first of them.' }),
  structures: z
    .array(z.object({ volume: count, role: z.string(), bytes: integer }))
    .meta({ description: "The file system's own, and content without a name." }),
  freeBytes: integer,
  outsideBytes: integer.meta({ description: 'In no volume that was read.' }),
});

const trouble = z.object({ path, pathBase64, code: z.string(), message: z.string() });

const report = z
  .object({
    format: z.literal('lostwrite-report'),
    version: z.literal(1),
    tool: z.object({ name: z.literal('lostwrite'), version: z.string() }),
    run,
    target,
    window: suspectWindow,
    references: z.array(reference),
    summary,
    coverage,
    findings: z.array(finding).meta({ description: 'By volume, then path in tree order.' }),
    blocks: z.array(block),
    orphans: z.array(orphan),
    extents: z
      .array(extent)
      .meta({ description: 'Where on the host the damage lies; by offset, empty unless asked for.' }),
    errors: z.array(trouble),
  })
  .meta({ title: 'lostwrite report', description: 'What a scan for lost writes found.' });

export type WireReport = z.infer<typeof report>;
export type WireFinding = z.infer<typeof finding>;
export type WireTarget = z.infer<typeof target>;
export type WireSkipped = z.infer<typeof skipped>;
export type WireOrphan = z.infer<typeof orphan>;
export type WireExtent = z.infer<typeof extent>;
export type WireError = z.infer<typeof trouble>;

/** The text of report.schema.json: JSON Schema, draft 2020-12. */
export function reportSchemaText(): string {
  return `${JSON.stringify(z.toJSONSchema(report, { io: 'input' }), null, 2)}\n`;
}
