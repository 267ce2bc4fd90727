// A real Debian tree: every path of this machine's packages of some priority, copied into a mounted file system by tar.

import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { run, works } from './loop-mount.ts';

/** What a plain Debian installation has: some 10,000 paths, 200 MB. */
export const PLAIN = ['required', 'important', 'standard'];
/** Half of it. */
export const SMALLEST = ['required'];

/** Why there is no such tree here; null when there is. */
export function whyNoDebianTree(): string | null {
  if (!existsSync('/var/lib/dpkg/status')) return 'no packages of dpkg are installed here';
  return works('tar', ['--version']) ? null : 'no tar';
}

/** Copies the packages' paths with owners, times, hard links and extended attributes. */
export function copyDebianTree(root: string, priorities: readonly string[]): void {
  const options = '--no-recursion --no-unquote --verbatim-files-from --null --files-from=- --warning=no-file-changed';
  const pack = `{ tar --create --directory=/ --xattrs ${options} || [ $? = 1 ]; }`;
  const unpack = 'tar --extract --directory="$0" --xattrs --same-owner --preserve-permissions';
  execFileSync('sh', ['-c', `${pack} | ${unpack}`, root], {
    input: packagedPaths(priorities)
      .map(path => `${path}\0`)
      .join(''),
    stdio: ['pipe', 'ignore', 'inherit'],
  });
}

/** Relative to "/", where they lie in truth: packages name /lib, which is a symlink to /usr/lib. */
function packagedPaths(priorities: readonly string[]): string[] {
  const listed = run('dpkg-query', ['-L', ...packagesOf(priorities)])
    .split('\n')
    .map(utf8);
  const present = listed.filter(path => path.startsWith('/') && path !== '/.' && isThere(path));
  return [...new Set(present.map(path => join(realpathSync(dirname(path)), basename(path)).slice(1)))];
}

function packagesOf(priorities: readonly string[]): string[] {
  const lines = run('dpkg-query', ['-W', `-f=\${Priority} \${db:Status-Abbrev} \${binary:Package}\\n`]).split('\n');
  const fields = lines.map(line => line.split(/ +/));
  return fields.flatMap(([priority = '', status, name = '']) =>
    priorities.includes(priority) && status === 'ii' ? [name] : [],
  );
}

function utf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString();
}

/** Not diverted, not deleted. */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
