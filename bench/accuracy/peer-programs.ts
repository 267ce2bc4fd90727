// Other programs set on a damaged disk, each as its manual has it used: what they need of the undamaged disk of t0 is made from
// that, and the damaged disk is checked. Needs root and the Debian packages aide, debsums and hashdeep, and e2fsprogs or xfsprogs.

import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DiskKindName } from '../../fixtures/incident/disk-kinds.ts';
import { hasProgram, run } from '../../fixtures/incident/processes.ts';
import type { BytePath } from '../../src/model.ts';
import { MOUNTPOINT, whileMounted } from './incident-case.ts';
import {
  type Accused,
  accusedByAide,
  accusedByDebsums,
  accusedByFsck,
  accusedByHashdeep,
  accusedByXfsRepair,
  listedByHashdeep,
  type NamesOfInodes,
} from './peers-output.ts';

/** Null: the program died, and accused nothing. */
export type PeerAnswer = Accused | null;

export interface Peer {
  readonly name: string;
  judge(directory: string): Promise<PeerAnswer>;
}

const PROGRAMS = ['aide', 'debsums', 'hashdeep'] as const;

/** Why the peers cannot run here; null: they can. */
export function peerObstacle(filesystem: DiskKindName): string | null {
  const absent = [...PROGRAMS, CHECKERS[filesystem].program].filter(program => !hasProgram(program));
  return absent.length === 0 ? null : `needs ${absent.join(', ')}`;
}

const PEERS: readonly Peer[] = [
  { name: 'aide, content and owners', judge: directory => aide(directory, 'ftype+p+u+g+l+s+sha256') },
  { name: 'aide, group R', judge: directory => aide(directory, 'R') },
  { name: 'hashdeep -a', judge: hashdeep },
  { name: 'debsums -s', judge: debsums },
];

/** The checker of a file system, which changes nothing. */
interface Checker {
  readonly program: string;
  readonly options: readonly string[];
  /** Exit codes that tell of errors that were left. */
  readonly ends: readonly number[];
  readonly accused: (messages: string, names: NamesOfInodes) => Accused;
}

const CHECKERS: Readonly<Record<DiskKindName, Checker>> = {
  ext4: { program: 'e2fsck', options: ['-fn'], ends: [1, 2, 3, 4, 8, 12], accused: accusedByFsck },
  xfs: { program: 'xfs_repair', options: ['-n'], ends: [1, 2], accused: accusedByXfsRepair },
};

export function peersOn(filesystem: DiskKindName): Peer[] {
  const checker = CHECKERS[filesystem];
  const name = [checker.program, ...checker.options].join(' ');
  return [...PEERS, { name, judge: directory => check(directory, checker) }];
}

/** AIDE's exit codes below 8 tell what differs. */
const AIDE_DIFFERENCES = [1, 2, 3, 4, 5, 6, 7];

async function aide(directory: string, attributes: string): Promise<Accused> {
  const database = join(directory, 'aide.db');
  const config = join(directory, 'aide.conf');
  const lines = [
    `database_in=file:${database}`,
    `database_out=file:${database}.new`,
    'gzip_dbout=no',
    'report_format=json',
    'report_url=stdout',
    `root_prefix=${join(directory, MOUNTPOINT)}`,
    `/ ${attributes}`,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  await whileMounted(directory, 't0', async () => run('aide', [`--config=${config}`, '--init']));
  renameSync(`${database}.new`, database);
  return whileMounted(directory, 'disk', async () => {
    const { output } = run('aide', [`--config=${config}`, '--check'], { accept: AIDE_DIFFERENCES });
    return accusedByAide(output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1));
  });
}

/** hashdeep's exit codes: 1 and 2 tell of differences, 64 of files that could not be read. */
const HASHDEEP_ENDS = [1, 2, 3, 64, 65, 66, 67];

async function hashdeep(directory: string): Promise<Accused> {
  const list = join(directory, 'hashdeep.txt');
  const options = ['-r', '-l', '-c', 'sha256'];
  const known = await whileMounted(directory, 't0', async cwd => {
    const { output } = run('hashdeep', [...options, '.'], { cwd, accept: HASHDEEP_ENDS });
    writeFileSync(list, output.replace(/^\..*\n/gm, ''), 'latin1');
    return listedByHashdeep(output);
  });
  return whileMounted(directory, 'disk', async cwd => {
    const { output } = run('hashdeep', [...options, '-a', '-vv', '-k', list, '.'], { cwd, accept: HASHDEEP_ENDS });
    return accusedByHashdeep(output, known);
  });
}

/** With the package database that the damaged disk has. */
async function debsums(directory: string): Promise<PeerAnswer> {
  return whileMounted(directory, 'disk', async root => {
    const { output } = run('debsums', ['-s', `--root=${root}`], { accept: [1, 2, 3, 255] });
    return accusedByDebsums(output, root);
  });
}

async function check(directory: string, { program, options, ends, accused }: Checker): Promise<Accused> {
  const names = await whileMounted(directory, 'disk', async root => namesOfInodes(root));
  const { output } = run(program, [...options, join(directory, 'disk.img')], { accept: ends });
  return accused(output, names);
}

/** find goes on where it cannot look, and ends with 1. */
function namesOfInodes(root: string): NamesOfInodes {
  const { output } = run('find', [root, '-printf', '%i /%P\\0'], { accept: [1] });
  const names = new Map<number, BytePath[]>();
  for (const entry of output.split('\0')) {
    const [, inode, path] = /^(\d+) (\/.*)$/s.exec(entry) ?? [];
    if (path !== undefined) names.set(Number(inode), [...(names.get(Number(inode)) ?? []), path]);
  }
  return names;
}
