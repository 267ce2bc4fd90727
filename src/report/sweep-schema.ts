// The merged summary of a sweep as it stands on the wire: the one source of its types and of sweep.schema.json. What a
// target's own report says in full stands here in figures. Additional properties are allowed, as in schema.ts.

import { z } from 'zod';
import { CONFIDENCES, VERDICTS } from '../model.ts';

const count = z.int().nonnegative();
const time = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/)
  .meta({ id: 'Time', format: 'date-time', description: 'RFC 3339, UTC, up to nine digits of a second.' });

const verdicts = z.object({
  unreadable: count,
  garbage: count,
  stale: count,
  missing: count,
  resurrected: count,
  altered: count,
  suspect: count,
});

const figures = z
  .object({
    files: count,
    directories: count,
    bytesRead: count,
    vouched: count,
    unvouched: count,
    atRisk: count,
    reported: count.meta({ description: 'Damaged paths: one of the first five verdicts, likely or proven.' }),
    proven: count.meta({ description: 'Those of the reported paths that are proven.' }),
    hints: count.meta({ description: 'Paths worth a look: possible, or altered.' }),
    suspects: count,
    verdicts,
  })
  .meta({ id: 'Figures', description: 'What findings and files add up to.' });

const worst = z.object({
  id: z.string().regex(/^[0-9a-f]{20}$/),
  volume: count,
  path: z.string(),
  pathBase64: z.string().optional(),
  verdict: z.enum(VERDICTS),
  confidence: z.enum(CONFIDENCES),
});

const extent = z.object({
  offset: count.meta({ description: 'Byte of the target’s disk.' }),
  length: count,
  findings: count.meta({ description: 'Paths with a finding whose harmed bytes lie in it.' }),
});

const state = z.enum(['whole', 'partial', 'failed', 'not-started']).meta({
  description:
    'partial: part of it could not be examined; failed: no scan of it came to an end; not-started: interrupted.',
});

const target = z.object({
  name: z.string(),
  path: z.string(),
  kind: z.enum(['directory', 'image']),
  owner: z.string().nullable(),
  ticket: z.string().nullable(),
  priority: count.nullable().meta({ description: 'As given: 1 is scanned first.' }),
  state,
  reasons: z.array(z.string()).meta({ description: 'Why it was not scanned whole.' }),
  attempts: count,
  report: z.string().nullable().meta({ description: 'File name beside this one.' }),
  startedAt: time.nullable(),
  finishedAt: time.nullable(),
  hasFindings: z.boolean(),
  figures: figures.nullable(),
  worst: z.array(worst),
  packages: z.record(z.string(), count).meta({ description: 'Damaged paths by the package that they belong to.' }),
  skipped: z.record(z.string(), count).meta({ description: 'Paths that were not examined, by reason.' }),
  damagedExtents: count.default(0).meta({ description: 'Extents of the host with damage in them, by --stripe.' }),
  extents: z.array(extent).default([]).meta({ description: 'The worst of these; the target’s report has all.' }),
});

const owner = z.object({
  owner: z.string().nullable(),
  targets: count,
  damaged: count.meta({ description: 'Targets with reported paths.' }),
  notWhole: count,
  reported: count,
  proven: count,
});

const packageRow = z.object({ name: z.string(), targets: count, reported: count });

const extentRow = extent.extend({ target: z.string() });

const sweep = z
  .object({
    format: z.literal('lostwrite-sweep'),
    version: z.literal(1),
    tool: z.object({ name: z.literal('lostwrite'), version: z.string() }),
    run: z.object({
      startedAt: time,
      finishedAt: time,
      complete: z.boolean().meta({ description: 'False: a target failed, was left out, or was examined in part.' }),
      file: z.string(),
    }),
    summary: z.object({
      targets: count,
      whole: count,
      partial: count,
      failed: count,
      notStarted: count,
      damaged: count,
      hasFindings: z.boolean(),
      figures,
    }),
    targets: z.array(target).meta({ description: 'Worst first.' }),
    byOwner: z.array(owner),
    byPackage: z.array(packageRow),
    byExtent: z.array(extentRow).meta({ description: 'The targets’ worst extents of the host, worst first.' }),
  })
  .meta({ title: 'lostwrite sweep', description: 'What the scans of many targets found, merged.' });

export type WireSweep = z.infer<typeof sweep>;
export type SweptTarget = z.infer<typeof target>;
export type SweepFigures = z.infer<typeof figures>;
export type SweptOwner = z.infer<typeof owner>;
export type SweptPackage = z.infer<typeof packageRow>;
export type SweptExtent = z.infer<typeof extentRow>;

/** What was written here reads back: a state file's, or an earlier summary's. */
export const sweptTarget = target;

/** The text of sweep.schema.json: JSON Schema, draft 2020-12. */
export function sweepSchemaText(): string {
  return `${JSON.stringify(z.toJSONSchema(sweep, { io: 'input' }), null, 2)}\n`;
}
