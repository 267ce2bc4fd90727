// Ordinary acts that change files as a lost write might: what stands before them, what goes on in between, the act.

import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { run } from '../../fixtures/incident/processes.ts';
import { blocksOf } from './content.ts';

export interface InnocentAct {
  readonly name: string;
  /** Makes what the first generation sees. */
  readonly before: (directory: string) => void;
  /** What goes on between the first generation and the second. */
  readonly between: (directory: string) => void;
  /** What goes on between the second generation and the scan. */
  readonly act: (directory: string) => void;
}

const OLD = blocksOf('old', 3);
const NEW = blocksOf('new', 3);
/** The first and last block of OLD, another one between them. */
const PARTLY_NEW = Buffer.concat([OLD.subarray(0, 4096), NEW.subarray(4096, 8192), OLD.subarray(8192)]);
const nothing = (): void => undefined;

const sh = (command: string) => (directory: string) => {
  run('bash', ['-ec', command], { cwd: directory });
};
const oldFile = (directory: string) => writeFileSync(join(directory, 'f'), OLD);
const newFile = (directory: string) => writeFileSync(join(directory, 'f'), NEW);

function writeAt(path: string, bytes: Uint8Array, at: number): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

/** A file that stands there, and something done to it. */
function onFile(name: string, act: (directory: string, file: string) => void): InnocentAct {
  return { name, before: oldFile, between: nothing, act: directory => act(directory, join(directory, 'f')) };
}

const ON_ONE_FILE: readonly InnocentAct[] = [
  onFile('touch', sh('touch f')),
  onFile('touch with a time of long ago', (_, file) => utimesSync(file, 1e9, 1e9)),
  onFile('chmod', (_, file) => chmodSync(file, 0o600)),
  onFile('chown', (_, file) => chownSync(file, 12, 34)),
  onFile('an extended attribute', sh('setfattr -n user.note -v x f')),
  onFile('a hard link and its removal', (directory, file) => {
    linkSync(file, join(directory, 'link'));
    unlinkSync(join(directory, 'link'));
  }),
  onFile('a hard link that stays', (directory, file) => linkSync(file, join(directory, 'link'))),
  onFile('a rename', (directory, file) => renameSync(file, join(directory, 'g'))),
  onFile('a rename and back', (directory, file) => {
    renameSync(file, join(directory, 'g'));
    renameSync(join(directory, 'g'), file);
  }),
  onFile('a deletion', (_, file) => unlinkSync(file)),
  onFile('a deletion, and the same content created again', (directory, file) => {
    unlinkSync(file);
    oldFile(directory);
  }),
  onFile('a deletion, and another content created', (directory, file) => {
    unlinkSync(file);
    newFile(directory);
  }),
  onFile('a deletion, and a directory in its place', (_, file) => {
    unlinkSync(file);
    mkdirSync(file);
  }),
  onFile('an inode number that another file takes', (directory, file) => {
    unlinkSync(file);
    writeFileSync(join(directory, 'g'), NEW);
    renameSync(join(directory, 'g'), file);
  }),
  onFile('truncate shorter', (_, file) => truncateSync(file, 5000)),
  onFile('truncate longer', (_, file) => truncateSync(file, 20_000)),
  onFile('truncate shorter, and back to the old size', (_, file) => {
    truncateSync(file, 5000);
    truncateSync(file, OLD.length);
  }),
  onFile('the same bytes written in place', (_, file) => writeAt(file, OLD, 0)),
  onFile('the same bytes written after O_TRUNC', oldFile),
  onFile('the same bytes by way of a temporary name', (directory, file) => {
    writeFileSync(join(directory, '.f.tmp'), OLD);
    renameSync(join(directory, '.f.tmp'), file);
  }),
  onFile('other bytes in place', (_, file) => writeAt(file, NEW.subarray(0, 4096), 4096)),
  onFile('zeros in place', (_, file) => writeAt(file, Buffer.alloc(4096), 4096)),
  onFile('append', (_, file) => appendFileSync(file, NEW)),
  onFile('append to the middle of a block', (_, file) => {
    truncateSync(file, 10_000);
    appendFileSync(file, 'more');
  }),
  onFile('preallocation that keeps the size', sh('fallocate -n -l 64K f')),
  onFile('preallocation', sh('fallocate -l 64K f')),
  onFile('a punched hole', sh('fallocate -p -o 4096 -l 4096 f')),
  onFile('a collapsed range', sh('fallocate -c -o 4096 -l 4096 f')),
  onFile('an inserted range', sh('fallocate -i -o 4096 -l 4096 f')),
  onFile('a zeroed range', sh('fallocate -z -o 4096 -l 4096 f')),
  onFile('direct writes', sh('dd if=/dev/urandom of=f bs=4096 seek=1 count=1 oflag=direct conv=notrunc status=none')),
  onFile('an edit by sed', sh('sed -i 1s/^/edited/ f')),
  onFile('a symbolic link in its place', sh('rm f; ln -s elsewhere f')),
  onFile('defragmentation', sh('e4defrag f')),
  onFile('new content with the old time', sh('touch -r f r; head -c 12288 /dev/urandom > f; touch -r r f')),
];

/** Old at the first generation, new at the second: then something brings the old content back. */
function rollback(name: string, act: (directory: string) => void): InnocentAct {
  const before = (directory: string) => {
    oldFile(directory);
    sh('touch -d "3 days ago" f; cp -p f f.bak')(directory);
  };
  return { name: `a rollback ${name}`, before, between: newFile, act };
}

/** The same with a file that is rewritten in place and shares blocks with its older state. */
function partialRollback(name: string, act: (directory: string) => void): InnocentAct {
  const between = (directory: string) => writeAt(join(directory, 'f'), PARTLY_NEW, 0);
  return { ...rollback(name, act), between };
}

const ROLLBACKS: readonly InnocentAct[] = [
  rollback('by hand in place', directory => writeAt(join(directory, 'f'), OLD, 0)),
  rollback('by hand after O_TRUNC', oldFile),
  rollback('by cp', sh('cp f.bak f')),
  rollback('by cp -p', sh('cp -p f.bak f')),
  rollback('by cp --remove-destination -p', sh('cp -p --remove-destination f.bak f')),
  rollback('by mv', sh('mv f.bak f')),
  rollback('by rsync -a', sh('mkdir from; cp -p f.bak from/f; rsync -a from/ .')),
  rollback('by rsync -a --inplace', sh('mkdir from; cp -p f.bak from/f; rsync -a --inplace from/ .')),
  rollback('with the new time', sh('touch -r f r; cp f.bak f; touch -r r f')),
  rollback('by a sparse copy', sh('cp --sparse=always f.bak f')),
  partialRollback('of one block', directory => writeAt(join(directory, 'f'), OLD.subarray(4096, 8192), 4096)),
  partialRollback('of one block by rsync', sh('mkdir from; cp -p f.bak from/f; rsync -a --inplace --no-W from/ .')),
  {
    name: 'a rollback by git checkout',
    before: sh(
      'git init -q; git config user.email a@b; git config user.name n; seq 9999 > f; git add f; git commit -qm 1',
    ),
    between: sh('seq 8888 > f; git commit -qam 2'),
    act: sh('git checkout -q HEAD~1 -- f'),
  },
  {
    name: 'a branch and back, and git gc',
    before: sh(
      'git init -q; git config user.email a@b; git config user.name n; seq 9999 > f; git add f; git commit -qm 1',
    ),
    between: sh('git checkout -qb other; seq 8888 > f; git commit -qam 2'),
    act: sh('git checkout -q -; git gc -q; git checkout -q other; git checkout -q -'),
  },
  {
    name: 'an archive unpacked over',
    before: sh('mkdir d; seq 9999 > d/f; seq 7 > d/g; tar cf d.tar d'),
    between: sh('seq 8888 > d/f; rm d/g; seq 5 > d/h'),
    act: sh('tar xpf d.tar'),
  },
  {
    name: 'rsync -a --delete from an older copy',
    before: sh('mkdir d; seq 9999 > d/f; seq 7 > d/g; cp -a d copy'),
    between: sh('seq 8888 > d/f; rm d/g; seq 5 > d/h; mkdir d/sub; seq 3 > d/sub/x'),
    act: sh('rsync -a --delete copy/ d/'),
  },
  {
    name: 'files that take turns',
    before: sh('seq 9 > status-old; seq 99 > status'),
    between: sh('mv status-old s; mv status status-old; seq 999 > status; rm s'),
    act: sh('cp -p status-old t; mv status status-old; mv t status'),
  },
];

const EXCHANGE = `
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
if libc.renameat2(-100, sys.argv[1].encode(), -100, sys.argv[2].encode(), 2) != 0: raise OSError(ctypes.get_errno())
`;
const exchange = (left: string, right: string) => (directory: string) => {
  run('python3', ['-c', EXCHANGE, left, right], { cwd: directory });
};
const twoApps = sh(
  'mkdir -p app/lib app.new/lib; for i in 1 2 3; do echo old $i > app/lib/$i; echo new $i > app.new/lib/$i; done; echo x > app/only-old; echo y > app.new/only-new; ln -s 1 app/lib/l; ln -s 2 app.new/lib/l',
);
const deploy = sh('mv app app.old; mv app.new app');
const undeploy = sh('mv app app.new; mv app.old app');

const NAMES: readonly InnocentAct[] = [
  {
    name: 'two files exchanged',
    before: sh('seq 99 > f; seq 88 > g'),
    between: nothing,
    act: exchange('f', 'g'),
  },
  {
    name: 'two files exchanged, and back',
    before: sh('seq 99 > f; seq 88 > g'),
    between: exchange('f', 'g'),
    act: exchange('f', 'g'),
  },
  {
    name: 'two hard links exchanged by renames',
    before: sh('seq 99 > f; ln f f2; seq 88 > g; ln g g2'),
    between: nothing,
    act: sh('mv f t; mv g f; mv t g'),
  },
  { name: 'two directories exchanged', before: twoApps, between: nothing, act: exchange('app', 'app.new') },
  {
    name: 'two directories exchanged, and back',
    before: twoApps,
    between: exchange('app', 'app.new'),
    act: exchange('app', 'app.new'),
  },
  { name: 'a deployment by renames of directories', before: twoApps, between: nothing, act: deploy },
  { name: 'a deployment by renames, and back', before: twoApps, between: deploy, act: undeploy },
  {
    name: 'a deployment, back, and again',
    before: twoApps,
    between: deploy,
    act: directory => {
      undeploy(directory);
      deploy(directory);
    },
  },
  {
    name: 'a deployment whose old tree is deleted',
    before: twoApps,
    between: nothing,
    act: sh('mv app app.old; mv app.new app; rm -r app.old'),
  },
  {
    name: 'a deployment by a symbolic link',
    before: sh('mkdir 1 2; echo a > 1/f; echo b > 2/f; ln -s 1 current'),
    between: sh('ln -sfn 2 current'),
    act: sh('ln -sfn 1 current'),
  },
  {
    name: 'a directory moved under another',
    before: sh('mkdir -p a/x/y b; seq 99 > a/x/f; seq 88 > a/x/y/g'),
    between: nothing,
    act: sh('mv a/x b/'),
  },
  {
    name: 'a directory moved under another, and back',
    before: sh('mkdir -p a/x/y b; seq 99 > a/x/f; seq 88 > a/x/y/g'),
    between: sh('mv a/x b/'),
    act: sh('mv b/x a/'),
  },
  {
    name: 'a file moved to another directory, and back',
    before: sh('mkdir a b; seq 99 > a/f'),
    between: sh('mv a/f b/'),
    act: sh('mv b/f a/'),
  },
  {
    name: 'a file deleted between, and created again',
    before: oldFile,
    between: sh('rm f'),
    act: oldFile,
  },
  {
    name: 'a file renamed, renamed back, and written',
    before: sh('seq 99 > f; seq 88 > g'),
    between: sh('mv f f.away; mv g g.away'),
    act: sh('mv f.away f; echo more >> f; mv g.away g; seq 77 > g'),
  },
  {
    name: 'a directory renamed, renamed back, and used',
    before: sh('mkdir -p d/e; seq 99 > d/f; seq 88 > d/e/g'),
    between: sh('mv d d.away'),
    act: sh('mv d.away d; seq 77 > d/new; rm d/f'),
  },
  {
    name: 'a file made between, and renamed',
    before: sh('mkdir d'),
    between: sh('seq 99 > d/f; seq 88 > d/g; mv d/g d/h'),
    act: sh('mv d/f d/k; mv d/h d/l; echo more >> d/l'),
  },
  {
    name: 'a directory renamed between, and again',
    before: sh('mkdir -p a/b; seq 99 > a/f; seq 88 > a/b/g; ln a/f a/hard'),
    between: sh('mv a a.1; mv a.1/b a.1/b.1; seq 77 > a.1/new; ln a.1/new a.1/new.hard'),
    act: sh('mv a.1 a.2; mv a.2/b.1 a.2/b.2; rm a.2/new.hard; seq 66 > a.2/b.2/later'),
  },
  {
    name: 'a directory renamed between, renamed again, and deleted',
    before: sh('mkdir a; seq 99 > a/f; seq 88 > a/g'),
    between: sh('mv a a.1; seq 77 > a.1/h'),
    act: sh('mv a.1 a.2; rm a.2/f; rm -r a.2'),
  },
  {
    name: 'hard links made between, and removed',
    before: sh('mkdir d; seq 99 > f; seq 88 > g; ln g d/g'),
    between: sh('ln f d/f; ln f d/f2; seq 77 > d/new; ln d/new d/new2'),
    act: sh('rm d/f; echo more >> f; rm g; rm d/new; echo more >> d/new2'),
  },
  {
    name: 'every change of a directory taken back by hand',
    before: sh('mkdir d; seq 99 > d/a; seq 88 > d/b; seq 77 > d/c'),
    between: sh('mv d/a d/a.new; mv d/b d/b.new; mv d/c d/c.old; seq 66 > d/c; seq 55 > d/more'),
    act: sh('mv d/a.new d/a; mv d/b.new d/b; mv d/c.old d/c; rm d/more; echo x >> d/b'),
  },
  {
    name: 'inode numbers that wander from name to name',
    before: sh('mkdir d; for i in $(seq 20); do seq $i > d/$i; done'),
    between: sh('rm d/1 d/2 d/3 d/4; for i in 5 6 7 8; do cp d/$i t; mv t d/$i; done; seq 9 > d/1'),
    act: sh('rm d/5 d/6 d/7; for i in 2 3 4 1 8; do seq 4$i > t; mv t d/$i; done; ln d/9 d/5'),
  },
  {
    name: 'files made between, and deleted',
    before: sh('mkdir d; touch d/x'),
    between: sh('for i in 1 2 3 4 5; do echo $i > d/$i; done'),
    act: sh('rm d/[1-5]'),
  },
  {
    name: 'a directory made between, and removed',
    before: sh('mkdir d'),
    between: sh('mkdir -p d/x/y; for i in 1 2 3 4 5; do echo $i > d/x/$i; done'),
    act: sh('rm -r d/x'),
  },
  { name: 'mkdir', before: nothing, between: nothing, act: sh('mkdir -p a/b; seq 9 > a/b/f') },
  {
    name: 'rmdir',
    before: directory => mkdirSync(join(directory, 'd')),
    between: nothing,
    act: directory => rmdirSync(join(directory, 'd')),
  },
  {
    name: 'rmdir, and mkdir again',
    before: sh('mkdir d'),
    between: nothing,
    act: sh('rmdir d; mkdir d'),
  },
  {
    name: 'a whole directory deleted',
    before: sh('mkdir -p d/e; seq 9 > d/f; seq 8 > d/e/g'),
    between: nothing,
    act: directory => rmSync(join(directory, 'd'), { recursive: true }),
  },
  {
    name: 'a symbolic link set anew',
    before: directory => symlinkSync('a', join(directory, 'l')),
    between: sh('ln -sf b l'),
    act: sh('ln -sf a l'),
  },
  {
    name: 'a rescue from lost+found that is deleted again',
    before: sh('seq 99 > ../lost+found/#77; ln ../lost+found/#77 f'),
    between: nothing,
    act: sh('rm f'),
  },
  {
    name: 'a file moved to lost+found by hand',
    before: oldFile,
    between: nothing,
    act: sh('mv f ../lost+found/mine'),
  },
  {
    name: 'a directory of many files cleaned and filled again',
    before: sh('mkdir d; for i in $(seq 40); do seq $i > d/$i; done'),
    between: sh('rm d/*; for i in $(seq 40); do seq $i > d/n$i; done'),
    act: sh('rm d/*; for i in $(seq 40); do seq $i > d/$i; done'),
  },
];

const PROGRAMS: readonly InnocentAct[] = [
  {
    name: 'transactions of sqlite',
    before: sh('sqlite3 db "create table t(a); insert into t select value from generate_series(1, 3000)"'),
    between: sh('sqlite3 db "update t set a = a + 1 where a % 100 = 0"'),
    act: sh('sqlite3 db "update t set a = a + 2 where a % 70 = 0; delete from t where a > 2900"'),
  },
  {
    name: 'a transaction of sqlite undone by another',
    before: sh('sqlite3 db "create table t(a); insert into t select value from generate_series(1, 3000)"'),
    between: sh('sqlite3 db "update t set a = -a where a between 1000 and 1010"'),
    act: sh('sqlite3 db "update t set a = -a where a between -1010 and -1000"'),
  },
  {
    name: 'a rollback of sqlite',
    before: sh('sqlite3 db "create table t(a); insert into t select value from generate_series(1, 3000)"'),
    between: sh('sqlite3 db "update t set a = a + 1"'),
    act: sh('sqlite3 db "pragma cache_size=3; pragma cache_spill=1; begin; update t set a = a + 7; rollback"'),
  },
  {
    name: 'sqlite with a write-ahead log, and VACUUM',
    before: sh(
      'sqlite3 db "pragma journal_mode=wal; create table t(a); insert into t select value from generate_series(1, 3000)" >&2',
    ),
    between: sh('sqlite3 db "delete from t where a % 3 = 0"'),
    act: sh('sqlite3 db "vacuum; pragma wal_checkpoint(truncate)" >&2'),
  },
  {
    name: 'log rotation by rename',
    before: sh('seq 3000 > app.log; seq 999 > app.log.1'),
    between: sh('seq 50 >> app.log'),
    act: sh('mv app.log.1 app.log.2; mv app.log app.log.1; : > app.log; seq 10 >> app.log'),
  },
  {
    name: 'log rotation, again and again',
    before: sh('for i in 3 2 1; do seq $i$i$i > log.$i; done; seq 3000 > log; rm log.3; sleep 0.1'),
    between: sh('mv log.2 log.3; mv log.1 log.2; mv log log.1; seq 50 > log; rm log.3'),
    act: sh('mv log.2 log.3; mv log.1 log.2; mv log log.1; seq 60 > log; echo more >> log.1; rm log.3'),
  },
  {
    name: 'log rotation by copytruncate',
    before: sh('seq 3000 > app.log'),
    between: sh('seq 50 >> app.log'),
    act: sh('cp -p app.log app.log.1; : > app.log; seq 10 >> app.log'),
  },
  {
    name: 'log rotation by copytruncate twice',
    before: sh('seq 3000 > app.log'),
    between: sh('cp -p app.log app.log.1; : > app.log; seq 3000 >> app.log'),
    act: sh('cp -p app.log app.log.1; : > app.log; seq 3000 >> app.log'),
  },
  {
    name: 'sparse copies',
    before: sh('seq 3000 > f; truncate -s 40K f; seq 30 >> f'),
    between: sh('cp --sparse=always f g; cp --sparse=never f h'),
    act: sh('cp --sparse=never g f; cp --sparse=always h g'),
  },
  {
    name: 'a ring of blocks that is written round and round',
    before: directory => writeFileSync(join(directory, 'ring'), OLD),
    between: directory => writeAt(join(directory, 'ring'), NEW.subarray(0, 8192), 0),
    act: directory => writeAt(join(directory, 'ring'), OLD.subarray(0, 4096), 0),
  },
  {
    name: 'a copy of another file’s blocks',
    before: directory => {
      writeFileSync(join(directory, 'f'), OLD);
      writeFileSync(join(directory, 'donor'), NEW);
    },
    between: nothing,
    act: directory => writeAt(join(directory, 'f'), readFileSync(join(directory, 'donor')).subarray(4096, 8192), 4096),
  },
];

export const INNOCENT_ACTS: readonly InnocentAct[] = [...ON_ONE_FILE, ...ROLLBACKS, ...NAMES, ...PROGRAMS];
