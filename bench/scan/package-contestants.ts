// Who compares a tree with its dpkg database.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Contestant } from '../timed.ts';
import { lostwrite, removeStore } from './lostwrite.ts';

/** @param work a directory for lists, stores and reports. */
export function packageContestants(tree: string, work: string): Contestant[] {
  const list = join(work, 'packaged-files');
  const names = packagedFiles(tree);
  writeFileSync(list, names.map(name => `${join(tree, name)}\n`).join(''));
  const store = join(work, 'packages.db');
  const scan = ['scan', tree, '--store', store, '--json', join(work, 'packages.json'), '--quiet', '--force'];
  return [
    lostwrite('scan', scan, () => removeStore(store)),
    { name: `xargs -P2 md5sum (${names.length} packaged files)`, command: xargs(list, 'md5sum'), exitCodes: [0, 123] },
    { name: 'debsums -s', command: ['debsums', '-s', `--root=${tree}`], exitCodes: [0, 2, 3] },
    { name: 'dpkg --verify', command: ['dpkg', `--root=${tree}`, '--verify'], exitCodes: [0, 1] },
    { name: 'xargs -P2 cat', command: xargs(list, 'cat'), exitCodes: [0, 123] },
  ];
}

function xargs(list: string, program: string): Contestant['command'] {
  return ['xargs', '-d', '\n', '-n', '512', '-P', '2', '-a', list, program];
}

/** Paths in the packages' md5sums, each once. */
function packagedFiles(tree: string): string[] {
  const database = join(tree, 'var/lib/dpkg/info');
  const names = new Set<string>();
  for (const file of readdirSync(database).filter(name => name.endsWith('.md5sums'))) {
    for (const line of readFileSync(join(database, file), 'utf8').split('\n'))
      if (line !== '') names.add(line.slice(34));
  }
  return [...names];
}
