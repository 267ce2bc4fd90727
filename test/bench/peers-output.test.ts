// What is read from other programs' output, on lines that they printed.

import { describe, expect, it } from 'vitest';
import {
  accusedByAide,
  accusedByDebsums,
  accusedByFsck,
  accusedByHashdeep,
  listedByHashdeep,
} from '../../bench/accuracy/peers-output.ts';

describe('AIDE', () => {
  it('accuses what it has added, removed and changed, with the bytes of odd names', () => {
    const report = JSON.stringify({
      outline: 'AIDE found differences between database and filesystem!!',
      number_of_entries: { total: 4 },
      added: { '/srv/new': 'f+++++++++++++++++' },
      removed: { '/srv/gone': 'f-----------------' },
      changed: { '/srv/caf\\351': 'f > ...     H     ' },
    });
    expect([...accusedByAide(report)]).toEqual([
      ['/srv/new', 'new'],
      ['/srv/gone', 'missing'],
      ['/srv/caf\xe9', 'changed'],
    ]);
  });

  it('accuses nothing when it found no differences', () => {
    expect([
      ...accusedByAide('{"outline":"AIDE found NO differences between database and filesystem. Looks okay!!"}'),
    ]).toEqual([]);
  });
});

describe('hashdeep', () => {
  const list = [
    '%%%% HASHDEEP-1.0',
    '%%%% size,sha256,filename',
    '## Invoked from: /mnt',
    `9,${'a'.repeat(64)},./etc/changed`,
    `9,${'b'.repeat(64)},./etc/with, comma`,
    `9,${'c'.repeat(64)},./etc/taken`,
  ].join('\n');

  it('lists paths from the root', () => {
    expect([...listedByHashdeep(list)]).toEqual(['/etc/changed', '/etc/with, comma', '/etc/taken']);
  });

  it('tells changed, missing and new from its answers, and lets files move', () => {
    const audit = [
      './etc/changed: No match',
      './etc/born: No match',
      './etc/renamed: Moved from ./etc/with, comma',
      './etc/taken: Moved from ./etc/other',
      './etc/changed: Known file not used',
      './etc/gone: Known file not used',
      'hashdeep: Audit failed',
    ].join('\n');
    expect([...accusedByHashdeep(audit, listedByHashdeep(list))]).toEqual([
      ['/etc/changed', 'changed'],
      ['/etc/born', 'new'],
      ['/etc/taken', 'changed'],
      ['/etc/gone', 'missing'],
    ]);
  });
});

describe('debsums', () => {
  it('accuses changed and missing files, without the root that it looked below', () => {
    const messages = [
      'debsums: changed file /mnt/usr/bin/ginger (from ginger-server package)',
      'debsums: missing file /mnt/usr/share/doc/hazel/README (from hazel package)',
      '',
    ].join('\n');
    expect([...(accusedByDebsums(messages, '/mnt') ?? [])]).toEqual([
      ['/usr/bin/ginger', 'changed'],
      ['/usr/share/doc/hazel/README', 'missing'],
    ]);
  });

  it('has no answer when it dies of the package database', () => {
    const messages =
      "dpkg-query: error: parsing file '/mnt/var/lib/dpkg/status' near line 0:\n end of file after field name ''\n";
    expect(accusedByDebsums(messages, '/mnt')).toBe(null);
  });
});

describe('e2fsck', () => {
  const names = new Map([
    [2, ['/']],
    [274, ['/srv/a', '/srv/b']],
    [347, ['/srv/dir']],
    [15, ['/srv/shared']],
  ]);

  it('accuses the names of the inodes that it names, and the entries that it would clear', () => {
    const messages = [
      'Pass 1: Checking inodes, blocks, and sizes',
      'Inode 274, i_blocks is 16, should be 8.  Fix? no',
      'Directory inode 347, block #0, offset 0: directory corrupted',
      'File /srv/shared (inode #15, mod time Mon Jun  2 03:04:05 2014) ',
      "Entry 'old' in /srv/dir (347) has deleted/unused inode 99.  Clear? no",
      "Entry 'top' in / (2) has deleted/unused inode 98.  Clear? no",
      'Deleted inode 500 has zero dtime.  Fix? no',
    ].join('\n');
    expect([...accusedByFsck(messages, names)]).toEqual([
      ['/srv/a', 'changed'],
      ['/srv/b', 'changed'],
      ['/srv/dir', 'changed'],
      ['/srv/shared', 'changed'],
      ['/srv/dir/old', 'changed'],
      ['/top', 'changed'],
    ]);
  });
});
