import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { locateTarget } from '../../src/cli/target.ts';

let here = '';
beforeAll(() => {
  here = mkdtempSync(join(tmpdir(), 'lwr-target-'));
  mkdirSync(join(here, 'dir'));
  mkdirSync(join(here, 'dir@x'));
  writeFileSync(join(here, 'vm.qcow2'), 'x');
  writeFileSync(join(here, 'a@b.img'), 'x');
  symlinkSync('dir', join(here, 'link'));
});
afterAll(() => rmSync(here, { recursive: true }));

const locate = (text: string, name: string | null = null) => locateTarget({ text, cwd: here, name, hostName: 'db7' });

test('a directory, named as it was given', () => {
  expect(locate('dir')).toEqual({ kind: 'directory', name: 'dir', path: join(here, 'dir'), snapshot: null });
  expect(locate(`${here}/dir/../dir/`).path).toBe(join(here, 'dir'));
});

test('a link stands for what it leads to', () => {
  expect(locate('link')).toEqual({ kind: 'directory', name: 'link', path: join(here, 'dir'), snapshot: null });
});

test('the root is named after the host, and --host names anything', () => {
  expect(locate('/')).toEqual({ kind: 'directory', name: 'db7', path: '/', snapshot: null });
  expect(locate('/', 'vm042').name).toBe('vm042');
  expect(locate('dir', 'vm042').name).toBe('vm042');
});

test('a file is an image, @ names a snapshot in it, unless a file has that very name', () => {
  expect(locate('vm.qcow2')).toEqual({ kind: 'image', name: 'vm.qcow2', path: join(here, 'vm.qcow2'), snapshot: null });
  expect(locate('vm.qcow2@before')).toEqual({
    kind: 'image',
    name: 'vm.qcow2@before',
    path: join(here, 'vm.qcow2'),
    snapshot: 'before',
  });
  expect(locate('a@b.img')).toMatchObject({ path: join(here, 'a@b.img'), snapshot: null });
  expect(locate('a@b.img@s')).toMatchObject({ path: join(here, 'a@b.img'), snapshot: 's' });
  expect(locate('dir@x')).toMatchObject({ kind: 'directory', path: join(here, 'dir@x') });
});

test.each([
  ['nothing', 'nothing: no such file or directory'],
  ['nothing@s', 'nothing@s: no such file or directory'],
  ['vm.qcow2@', 'vm.qcow2@: no such file or directory'],
  ['@s', '@s: no such file or directory'],
  ['vm.qcow2/x', 'vm.qcow2/x: no such file or directory'],
  ['dir@s', 'dir@s: a directory has no snapshots; name an image before the @'],
  ['/dev/null', '/dev/null: neither a directory, a disk image nor a block device'],
  ['', 'the TARGET is empty'],
])('%j is refused', (text, message) => {
  expect(() => locate(text)).toThrow(message);
});
