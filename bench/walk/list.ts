// Lists a tree, or the first volume of an image, as a scan does, into a store on disk: `node list.js TARGET STORE`. A process
// of its own, so that its start counts too.

import { rmSync, statSync } from 'node:fs';
import { Pool } from '../../src/pool.ts';
import { listTree } from '../../src/run/list-tree.ts';
import { Spool } from '../../src/run/spool.ts';
import { openStore } from '../../src/store/store.ts';
import { identityOf } from '../../src/tree/open-target.ts';

const WORKERS = 2;
const [path = '.', storePath = ':memory:'] = process.argv.slice(2);

if (storePath !== ':memory:') for (const suffix of ['', '-wal', '-shm']) rmSync(storePath + suffix, { force: true });
const store = openStore(storePath, 'write');
const { run } = store.openRun('bench');
const pool = new Pool(WORKERS);
const kind = statSync(path).isDirectory() ? 'directory' : 'image';
const target = { kind, name: path, path, snapshot: null, identity: identityOf(path) } as const;
const opening = { workers: WORKERS, replayed: new Map() };
const options = { target, volume: 0, opening, globs: { include: [], exclude: [] }, crossMounts: false };
const isWhole = await listTree(pool, new Spool(run, 0), options);
process.stdout.write(`${isWhole ? 'listed' : 'stopped at'} ${pool.counts().entries} entries\n`);
await pool.close();
store.close();
