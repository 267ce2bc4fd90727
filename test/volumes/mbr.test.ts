import { writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { run } from '../bytes/disk-fixtures.ts';
import { blank, hasTools, MIB, poke, SECTOR, scratch, survey, tableOfOurs, tableOfTool } from './partition-fixtures.ts';

afterAll(() => scratch.remove());

describe.skipIf(!hasTools)('an MBR', () => {
  function mbrDisk(name: string): string {
    const path = blank(name, 64 * MIB);
    const script = scratch.path('script');
    const lines = [
      'label: dos',
      'size=10M, bootable',
      'size=5M, type=82',
      'size=1M',
      'size=40M, type=5',
      'size=4M',
      'size=6M, type=8e',
      'size=3M',
      'size=2M',
    ];
    writeFileSync(script, `${lines.join('\n')}\n`);
    run('sh', '-c', `sfdisk -q ${path} < ${script}`);
    return path;
  }

  it('with logical partitions is read as sfdisk reads it', () => {
    const path = mbrDisk('mbr');
    expect(survey(path)).toMatchObject({ scheme: 'mbr', facts: [] });
    expect(tableOfOurs(path)).toEqual(tableOfTool(path).filter(({ type }) => type !== '0x05'));
    expect(tableOfOurs(path).map(({ number }) => number)).toEqual([1, 2, 3, 5, 6, 7, 8]);
  });

  it('with a gap in the chain of logical partitions gives those before it', () => {
    const path = mbrDisk('mbr-broken');
    const [, , , , sixth] = survey(path).volumes;
    // The table of logical partition 6 lies a mebibyte before it.
    const table = (sixth?.offset ?? 0) - MIB;
    poke(path, table, Buffer.alloc(SECTOR));
    const disk = survey(path);
    expect(disk.volumes.map(({ partition }) => partition?.number)).toEqual([1, 2, 3, 5]);
    expect(disk.facts).toEqual([
      { name: 'mbr-chain-broken', detail: `no table of logical partitions at byte ${table}` },
    ]);
  });

  it('whose chain returns to its start ends there', () => {
    const path = mbrDisk('mbr-loop');
    const [, , , fifth, sixth] = survey(path).volumes;
    const next = Buffer.alloc(4);
    // The second entry of partition 6's table is made to point to the first table.
    poke(path, (sixth?.offset ?? 0) - MIB + 446 + 16 + 8, next);
    const disk = survey(path);
    expect(disk.volumes.map(({ partition }) => partition?.number)).toEqual([1, 2, 3, 5, 6]);
    const detail = `the chain of logical partitions returns to byte ${(fifth?.offset ?? 0) - MIB}`;
    expect(disk.facts).toEqual([{ name: 'mbr-chain-broken', detail }]);
  });
});
