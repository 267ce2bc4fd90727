import { expect, test } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import type { TargetSpec } from '../../src/model.ts';
import { Pool } from '../../src/pool.ts';

test('what a worker answers about a target that is gone stays an answer', async () => {
  const identity = { device: '1', inode: '1', sizeBytes: 0, mtimeNs: '0' };
  const target: TargetSpec = { kind: 'directory', name: 'gone', path: '/nowhere/at/all', snapshot: null, identity };
  const pool = new Pool(1);
  const globs = { include: [], exclude: [] };
  const walked = pool.walk({
    target,
    opening: { workers: 1, replayed: new Map() },
    volume: 0,
    start: null,
    budget: 10,
    globs,
    crossMounts: false,
  });
  await expect(walked).rejects.toThrow(UsageError);
  await expect(walked).rejects.toThrow('gone: no such target');
  await pool.close();
}, 120_000);
