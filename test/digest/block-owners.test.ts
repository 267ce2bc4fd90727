// Who owned a unit: runs as columns, looked up by inode and by place.

import { describe, expect, it } from 'vitest';
import { BlockOwners, packOwners } from '../../src/digest/block-owners.ts';
import type { OwnedRun } from '../../src/model.ts';
import { run } from './hand-made-map.ts';

const packed = (runs: readonly OwnedRun[], unitsPerBlock = 1) => new BlockOwners(packOwners(runs, unitsPerBlock));
const words = (runs: readonly OwnedRun[]) =>
  runs.map(({ inode, logical, physical, length }) => `${inode}:${logical}@${physical}+${length}`);

describe('owners of a unit', () => {
  const owners = packed([
    run(0, 0, 0, 10, { role: 'inode-table', generation: 0 }),
    run(12, 0, 10, 5),
    run(13, 0, 15, 1),
    run(12, 7, 20, 3),
  ]);

  it('are the run around it, to its first and last unit', () => {
    const found = [9, 10, 14, 15, 16, 19, 20, 22, 23].map(unit => words(owners.at(unit)).join());
    expect(found).toEqual(['0:0@0+10', '12:0@10+5', '12:0@10+5', '13:0@15+1', '', '', '12:7@20+3', '12:7@20+3', '']);
  });

  it('are none on an empty volume', () => {
    expect(packed([]).at(7)).toEqual([]);
    expect(packed([]).of(12, 1)).toEqual([]);
  });

  it('are everybody where runs overlap', () => {
    const many = packed([run(12, 0, 10, 100), run(13, 0, 20, 10), run(14, 5, 20, 2), run(15, 0, 40, 1)]);
    const found = (unit: number) => words(many.at(unit)).sort();
    expect(found(21)).toEqual(['12:0@10+100', '13:0@20+10', '14:5@20+2']);
    expect(found(25)).toEqual(['12:0@10+100', '13:0@20+10']);
    expect(found(35)).toEqual(['12:0@10+100']);
    expect(found(109)).toEqual(['12:0@10+100']);
    expect(found(110)).toEqual([]);
  });

  it('are those that looking at every run finds', () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    const runs = Array.from({ length: 300 }, (_, index) => run(12 + index, random(9), random(500), 1 + random(40)));
    const many = packed(runs);
    for (let unit = 0; unit < 560; unit++) {
      const there = runs.filter(({ physical, length }) => physical <= unit && unit < physical + length);
      expect(words(many.at(unit)).sort()).toEqual(words(there).sort());
    }
  });
});

describe('runs of an inode', () => {
  it('are of its generation only, and ascend by logical unit, content before what describes it', () => {
    const owners = packed([
      run(12, 9, 30, 2),
      run(12, 0, 50, 1, { role: 'block-map' }),
      run(12, 0, 90, 4),
      run(12, 0, 70, 1, { generation: 2 }),
      run(11, 0, 1, 1),
      run(13, 0, 2, 1),
    ]);
    expect(words(owners.of(12, 1))).toEqual(['12:0@90+4', '12:9@30+2', '12:0@50+1']);
    expect(words(owners.of(12, 2))).toEqual(['12:0@70+1']);
    expect(owners.of(12, 3)).toEqual([]);
    expect(owners.of(99, 1)).toEqual([]);
  });

  it('keep role, generation and whether they were written', () => {
    const runs = [
      run(12, 0, 5, 1, { unwritten: true, generation: 4_294_967_295 }),
      run(12, 1, 6, 1, { role: 'attribute-value' }),
      run(13, 0, 7, 1, { role: 'directory' }),
    ];
    const owners = packed(runs);
    expect([...owners.of(12, 4_294_967_295), ...owners.of(12, 1), ...owners.of(13, 1)]).toEqual(runs);
  });
});

describe('packing', () => {
  it('counts in units of the map: blocks of 16 KiB are four each', () => {
    const owners = packed([run(12, 3, 5, 2), run(0, 6, 1, 1, { role: 'inode-table' })], 4);
    expect(words(owners.of(12, 1))).toEqual(['12:12@20+8']);
    // The group of a structure is no block.
    expect(words(owners.at(7))).toEqual(['0:6@4+4']);
  });

  it('gives all runs by place', () => {
    const runs = [run(12, 0, 90, 4), run(11, 0, 3, 1), run(13, 0, 50, 1)];
    expect(words([...packed(runs).byPlace()])).toEqual(['11:0@3+1', '13:0@50+1', '12:0@90+4']);
  });

  it('holds blocks beyond what 32 bits count', () => {
    const far = 2 ** 40;
    const owners = packed([run(12, far, far + 5, 2)]);
    expect(words(owners.at(far + 6))).toEqual([`12:${far}@${far + 5}+2`]);
  });
});
