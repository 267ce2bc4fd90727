// A file deleted, its last block given to another file, and that file's write lost: the old end in the midst of the new file
// tells, by the real kernel's log. And what makes such ends without any loss.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { hasProgram, run } from '../../fixtures/incident/processes.ts';
import { nowNs } from '../../src/run/now.ts';
import { blocksOf } from './content.ts';
import { worldObstacle } from './ext4-world.ts';
import { ImageWorld } from './image-world.ts';

const RULE = 'ends-as-another-file';
const BLOCK = 4096;
const PATIENCE_MS = 60_000;
const USED = 700;
/** Three blocks and a bit. */
const OLD = Buffer.concat([blocksOf('old', 3), Buffer.alloc(USED, 'o')]);

const sh = (root: string, command: string) => run('bash', ['-ec', command], { cwd: root });
const KINDS = [
  { kind: 'ext4', shape: { sizeMib: 32, journalMib: 8 }, defragment: 'e4defrag' },
  { kind: 'xfs', shape: { sizeMib: 96, journalMib: 16 }, defragment: 'xfs_fsr' },
] as const;

/** Physical blocks of a file, by FIEMAP. */
function blocksOfFile(path: string): number[] {
  const { output } = run('filefrag', ['-b4096', '-v', path]);
  return [...output.matchAll(/^ *\d+: +\d+\.\. +\d+: +(\d+)\.\. +(\d+):/gm)].flatMap(([, first, last]) =>
    Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => Number(first) + index),
  );
}

for (const { kind, shape, defragment } of KINDS) {
  const absent = [`mkfs.${kind}`, 'filefrag', defragment].filter(program => !hasProgram(program));
  const obstacle = worldObstacle() ?? (absent.length === 0 ? null : `needs ${absent.join(', ')}`);
  if (obstacle !== null) process.stdout.write(`skipped: former ends on ${kind}: ${obstacle}\n`);

  describe.skipIf(obstacle !== null)(`on ${kind}`, { timeout: PATIENCE_MS }, () => {
    let world: ImageWorld | null = null;
    afterEach(() => {
      world?.close();
      world = null;
    });

    /** A disk with little room left, so that what is freed is soon given away. */
    function start(): ImageWorld {
      world = new ImageWorld(shape, kind);
      world.mounted(root => {
        const free = Number(run('stat', ['-f', '-c', '%a', root]).output);
        run('fallocate', ['-l', String((free - 500) * BLOCK), join(root, 'fill')]);
      });
      return world;
    }

    async function found(disk: ImageWorld, fromNs: bigint): Promise<string[]> {
      const findings = await disk.scan([], { fromNs, toNs: nowNs() });
      return findings
        .filter(({ evidence }) => evidence.some(({ rule }) => rule === RULE))
        .map(({ path, verdict, confidence, ranges }) => {
          const where = ranges.map(({ offset, length, state }) => `${state} ${offset}+${length}`).join(' ');
          return `${path} ${verdict} ${confidence} ${where}`;
        });
    }

    it('a block that still holds the end of a deleted file', async () => {
      const disk = start();
      const fromNs = nowNs();
      let [place, path, logical] = [0, '', 0];
      disk.mounted(root => {
        writeFileSync(join(root, 'old'), OLD);
        run('sync', ['-f', root]);
        place = blocksOfFile(join(root, 'old'))[3] ?? 0;
        rmSync(join(root, 'old'));
      });
      disk.mounted(root => {
        for (let index = 0; index < 70; index++) {
          writeFileSync(join(root, `new-${index}`), blocksOf(`new ${index}`, 6));
          run('sync', ['-f', root]);
          const at = blocksOfFile(join(root, `new-${index}`)).indexOf(place);
          if (at < 0) continue;
          [path, logical] = [`/new-${index}`, at];
          break;
        }
      });
      expect(path).not.toBe('');
      expect(await found(disk, fromNs)).toEqual([]);
      const image = readFileSync(disk.disk);
      const last = Buffer.concat([OLD.subarray(3 * BLOCK), Buffer.alloc(BLOCK - USED)]);
      last.copy(image, place * BLOCK);
      writeFileSync(disk.disk, image);
      expect(await found(disk, fromNs)).toEqual([`${path} garbage likely foreign ${logical * BLOCK}+${BLOCK}`]);
    });

    it('not what grew by zeros, shared blocks, exchanged them, or was given a dead file’s name', async () => {
      const disk = start();
      const fromNs = nowNs();
      const copy = kind === 'xfs' ? 'cp --reflink=always' : 'cp';
      disk.mounted(root => {
        for (const name of ['grown', 'shared', 'torn', 'dead']) writeFileSync(join(root, name), OLD);
        sh(root, 'sync -f .; truncate -s 20000 grown; mv dead moved; truncate -s 30000 moved');
        sh(root, `${copy} shared twin; sync -f .; truncate -s 25000 twin; touch shared; sync -f .; rm shared`);
        sh(root, `${copy} torn other-twin; truncate -s 40000 other-twin; touch torn; sync -f .`);
        sh(root, 'for at in 1 2 3 4 5 6 7; do seq 999 >> torn; sync -f .; seq 999 >> other; sync -f .; done');
        sh(root, `${defragment} -v torn; sync -f .; truncate -s 90000 torn; seq 200 > dead; truncate -s 9000 dead`);
      });
      expect(await found(disk, fromNs)).toEqual([]);
    });
  });
}
