// What lies after an end in a block: bytes after the file's own, zeros after another file's. Needs no map at all.

import { BLOCK_BYTES } from '../model.ts';
import { spanAt } from './block-witness.ts';
import type { PathCase } from './path-case.ts';
import type { Accusation, Rule } from './rule.ts';

export const END_RULES: readonly Rule[] = [
  {
    name: 'bytes-after-end',
    scanner: 'slack',
    says: 'The last block of the file goes on with other bytes than zeros after the file’s end.',
    innocent: [
      'blocks that were never written, and content that ends elsewhere (verity, encrypted, inline): exempt',
      'a file that was cut short, and whose last block is as before: what is left of it is right, `possible`',
    ],
    accuse: bytesAfterEnd,
  },
  {
    name: 'ends-as-another-file',
    scanner: 'journal',
    says: 'A block of the file holds another file’s last bytes and the zeros after them, by what the log says of that file.',
    innocent: [
      'blocks in common with another file (`cp --reflink`), and grown since: exempt where both have shared blocks',
      'the file’s own end of another time, before it grew by a hole or zeros (`truncate`): exempt',
      'blocks that two files exchanged (defragmentation): the file’s own end was there then, exempt',
    ],
    isLossOfContent: true,
    accuse: endsAsAnother,
  },
];

function bytesAfterEnd(known: PathCase): Accusation | null {
  const stat = known.seen?.stat ?? null;
  const slack = known.observations.find(({ rule }) => rule === 'bytes-after-end') ?? null;
  if (stat === null || slack === null) return null;
  const [witness] = known.blocks;
  const last = witness === undefined ? null : spanAt(witness, stat.sizeBytes - 1);
  const wasCut = witness?.formerly != null && witness.formerly.sizeBytes > stat.sizeBytes;
  const confidence = wasCut && last?.state === 'unchanged' ? 'possible' : 'likely';
  const unitBytes = witness?.unitBytes ?? BLOCK_BYTES;
  const offset = Math.floor((stat.sizeBytes - 1) / unitBytes) * unitBytes;
  const range = { offset, length: stat.sizeBytes - offset, state: 'unknown', physical: null, detail: null } as const;
  const verdict = witness?.formerly == null ? 'garbage' : 'stale';
  return { verdict, confidence, detail: slack.detail, ranges: [range] };
}

function endsAsAnother({ observations }: PathCase): Accusation | null {
  const seen = observations.find(({ rule }) => rule === 'ends-as-another-file');
  if (seen === undefined) return null;
  const ranges = seen.ranges.map(range => ({ ...range, state: 'foreign', physical: null, detail: null }) as const);
  return { verdict: 'garbage', confidence: 'likely', detail: seen.detail, ranges };
}
