// Who keeps digests of a whole tree, and compares the tree with them later.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contestant, timed } from '../timed.ts';
import { lostwrite, removeStore } from './lostwrite.ts';

export function baselineCapture(tree: string, work: string): Contestant[] {
  const store = join(work, 'capture.db');
  return [
    lostwrite('baseline create', create(tree, store), () => removeStore(store)),
    { name: 'hashdeep -c sha256 -r', command: ['hashdeep', '-c', 'sha256', '-r', tree], exitCodes: [0, 1] },
    { name: 'aide --init', command: ['aide', '--init', '--config', aideConfig(tree, work)] },
  ];
}

/** Makes what is compared with first. */
export function baselineCheck(tree: string, work: string): Contestant[] {
  const store = join(work, 'check.db');
  timed(lostwrite('baseline create', create(tree, store)));
  const config = aideConfig(tree, work);
  timed({ name: 'aide --init', command: ['aide', '--init', '--config', config] });
  const report = join(work, 'check.json');
  const scan = ['scan', tree, '--store', store, '--baseline', 'bench', '--json', report, '--quiet', '--force'];
  /** AIDE's exit codes below 8 tell what differs. */
  const differences = [0, 1, 2, 3, 4, 5, 6, 7];
  return [
    lostwrite('scan --baseline', scan),
    { name: 'aide --check', command: ['aide', '--check', '--config', config], exitCodes: differences },
    { name: 'hashdeep -c sha256 -r', command: ['hashdeep', '-c', 'sha256', '-r', tree], exitCodes: [0, 1] },
  ];
}

function create(tree: string, store: string): string[] {
  return ['baseline', 'create', tree, '--name', 'bench', '--store', store, '--quiet', '--force'];
}

/** All of the metadata that ours keeps, and SHA-256, by two workers. The database that was made is the one compared with. */
function aideConfig(tree: string, work: string): string {
  const path = join(work, 'aide.conf');
  const database = join(work, 'aide.db');
  const lines = [
    `database_in=file:${database}`,
    `database_out=file:${database}`,
    'gzip_dbout=no',
    'num_workers=2',
    'report_url=stdout',
    `${tree} p+i+n+u+g+s+m+c+ftype+sha256`,
  ];
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}
