// A generation of a baseline as a reference: every path of the target as it was at one time.

import type { Expectation, ReferenceInfo, ScanError } from '../model.ts';
import type { BaselineRecord } from '../store/baseline-record.ts';
import type { Generation } from '../store/generation.ts';
import type { Store } from '../store/store.ts';
import type { Reference } from './reference.ts';

/** `name@time`, as `baseline drop` takes it. @param time RFC 3339 text of the generation's time. */
export function generationId(name: string, time: string): string {
  return `${name}@${time}`;
}

export interface GenerationUse {
  /** Unique in the scan. */
  readonly id: string;
  /** Whether the generation knows of every change in the window. */
  readonly vouches: ReferenceInfo['vouches'];
  /** Which volume of the target. */
  readonly volume: number;
}

/** Damage of the store is thrown as UsageError while iterating. */
export function openGeneration(store: Store, generation: Generation, use: GenerationUse): Reference {
  const { id, vouches, volume } = use;
  const info: ReferenceInfo = { id, kind: 'baseline', atNs: generation.atNs, vouches, complete: true };
  const errors: ScanError[] = [];
  return {
    info,
    errors,
    *expectations() {
      for (const record of store.records(generation.id, volume)) yield expectationOf(record, id);
    },
  };
}

/** Block lists stay packed until somebody asks. */
function expectationOf(record: BaselineRecord, reference: string): Expectation {
  const { path, stat, linkTarget, content } = record;
  return {
    reference,
    path,
    type: stat.type,
    sizeBytes: stat.type === 'file' ? stat.sizeBytes : null,
    digests: content === null ? {} : { sha256: content.sha256 },
    get blocks() {
      const blocks = content?.blocks ?? null;
      return blocks === null || blocks.length === 0 ? null : blocks;
    },
    linkTarget,
    stat,
    owner: null,
    editable: false,
    installedAtNs: null,
    remedy: null,
  };
}
