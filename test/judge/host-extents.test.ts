// Findings by the extents of the host, here of 1 MiB.

import { describe, expect, it } from 'vitest';
import type { BlockWitness, PlaceState } from '../../src/judge/block-witness.ts';
import {
  countLanded,
  isAloneAmongLanded,
  lossesAround,
  newHostExtents,
  numbersOf,
} from '../../src/judge/host-extents.ts';
import { type Counters, countFinding, judgeGroups, newCounters } from '../../src/judge/judge-groups.ts';
import type { ByteRange, Finding, FindingObserved } from '../../src/model.ts';
import { findingOf } from './finding-of.ts';

const MIB = 2 ** 20;

const at = (mib: number, length = 4096): ByteRange => ({ offset: mib * MIB, length });

const loss = (path: string, places: readonly ByteRange[], more: Partial<Finding> = {}): Finding =>
  findingOf('never-landed', { scanner: 'blocks', path, confidence: 'likely', verdict: 'garbage', places, ...more });

/** A hint that losses anywhere on the volume raise as well. */
const grown = (places: readonly ByteRange[]): Finding =>
  findingOf('end-not-written', { scanner: 'blocks', path: '/grown', places });

function counted(findings: readonly Finding[], witnesses: readonly BlockWitness[] = []): Counters {
  const counters = newCounters(MIB);
  for (const finding of findings) countFinding(counters, finding);
  for (const witness of witnesses) if (counters.extents !== null) countLanded(counters.extents, witness);
  return counters;
}

function last(findings: readonly Finding[], counters = counted(findings)): string {
  const judged = [...judgeGroups(findings, counters)].at(-1);
  return `${judged?.confidence} ${judged?.evidence.map(({ rule }) => rule).join(',')}`;
}

function witness(state: PlaceState, mib: number, length: number): BlockWitness {
  const span = { offset: 0, length, physical: mib * MIB, state, formerOwner: null, isClaimedTwice: false };
  return {
    reference: 'g0',
    unitBytes: 4096,
    formerly: null,
    spans: [span],
    sameBlocks: false,
    isAllocated: null,
    isInodeRewritten: null,
    mayHoldZeros: true,
  };
}

const inode = (number: bigint): FindingObserved => ({
  sizeBytes: 0,
  digest: null,
  stat: {
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    sizeBytes: 0,
    links: 2,
    inode: number,
    generation: 1,
    mtimeNs: 0n,
    ctimeNs: 0n,
    crtimeNs: null,
    blocks512: null,
  },
});

describe('numbers of extents', () => {
  it('are those that any byte lies in, each once', () => {
    expect([...numbersOf(MIB, [at(0.5, MIB), at(1.9, 4096), at(1.95, 4096), at(7, MIB)])]).toEqual([0, 1, 7]);
  });
});

describe('losses in the same extent', () => {
  it('two of them raise what only an ordinary act explains, and the evidence says which extent', () => {
    const findings = [loss('/a', [at(8)]), loss('/b', [at(8.5)]), grown([at(8.75)])];
    const raised = [...judgeGroups(findings, counted(findings))].at(-1);
    expect(raised?.confidence).toBe('likely');
    expect(raised?.evidence.at(-1)).toEqual({
      scanner: 'groups',
      rule: 'losses-in-its-extent',
      supports: true,
      detail: '2 losses beyond doubt lie in the same 1 MiB of the host (from byte 8388608 of the disk).',
    });
  });

  it('two elsewhere do not', () => {
    expect(last([loss('/a', [at(8)]), loss('/b', [at(8.5)]), grown([at(9)])])).toBe('possible end-not-written');
  });

  it('one does not, nor two names of one file', () => {
    expect(last([loss('/a', [at(8)]), grown([at(8)])])).toBe('possible end-not-written');
    const names = [loss('/a', [at(8)], { observed: inode(12n) }), loss('/b', [at(8)], { observed: inode(12n) })];
    expect(last([...names, grown([at(8)])])).toBe('possible end-not-written');
  });

  it('raise no zeros, which programs write where others lost something as well', () => {
    const zeros = findingOf('never-landed-zeros', { scanner: 'blocks', path: '/z', places: [at(8)] });
    expect(last([loss('/a', [at(8)]), loss('/b', [at(8)]), zeros])).toBe('possible never-landed-zeros');
  });

  it('raise nothing whose rule does not say so', () => {
    const cut = findingOf('bytes-after-end', { scanner: 'slack', path: '/cut', places: [at(8)] });
    expect(last([loss('/a', [at(8)]), loss('/b', [at(8)]), cut])).toBe('possible bytes-after-end');
  });

  it('must be in half of the extents of a large file', () => {
    const losses = [loss('/a', [at(8)]), loss('/b', [at(8)])];
    const extents = counted(losses).extents ?? newHostExtents(MIB);
    expect(lossesAround(extents, grown([at(8, 2 * MIB)]))).toEqual({ losses: 2, offset: 8 * MIB });
    expect(lossesAround(extents, grown([at(8, 3 * MIB)]))).toBe(null);
  });
});

describe('an extent where much landed and nothing else was lost', () => {
  const losses = [loss('/a', [at(1)]), loss('/b', [at(2)]), loss('/c', [at(3)])];

  it('keeps down what the damaged volume would have raised', () => {
    const findings = [...losses, grown([at(8)])];
    expect(last(findings)).toBe('likely end-not-written,losses-come-in-clusters');
    const counters = counted(losses, [witness('landed', 8.5, 64 * 1024)]);
    const kept = [...judgeGroups(findings, counters)].at(-1);
    expect(kept?.confidence).toBe('possible');
    expect(kept?.evidence.at(-1)).toEqual({
      scanner: 'groups',
      rule: 'its-extent-landed',
      supports: false,
      detail: 'Much else in its part of the host was written since and did land, and nothing else there was lost.',
    });
  });

  it('is one of 64 KiB or more, of blocks that are new', () => {
    const findings = [...losses, grown([at(8)])];
    for (const few of [witness('landed', 8.5, 60 * 1024), witness('unchanged', 8.5, 512 * 1024)]) {
      expect(last(findings, counted(losses, [few]))).toBe('likely end-not-written,losses-come-in-clusters');
    }
  });

  it('is none with another loss in it, and none for what has no place', () => {
    const extents = counted([loss('/a', [at(8)])], [witness('changed', 8, MIB)]).extents ?? newHostExtents(MIB);
    expect(isAloneAmongLanded(extents, grown([at(8)]))).toBe(false);
    expect(isAloneAmongLanded(extents, grown([]))).toBe(false);
  });

  it('counts of a write across a border what lies within', () => {
    const extents = counted([], [witness('landed', 7.5, MIB)]).extents;
    expect([7, 8].map(number => extents?.counts.get(number)?.landedBytes)).toEqual([MIB / 2, MIB / 2]);
  });

  it('leaves what is likely by itself', () => {
    const own = loss('/own', [at(8)]);
    const counters = counted(losses, [witness('landed', 8, MIB)]);
    expect(last([...losses, own], counters)).toBe('likely never-landed');
  });
});
