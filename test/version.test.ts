import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { VERSION } from '../src/version.ts';
import { ROOT } from './set-up/compile.ts';

const textOf = (name: string): string => readFileSync(join(ROOT, name), 'utf8');

test('the program, the package, the lock file and the newest entry of the change log are of one version', () => {
  const [, newest] = textOf('CHANGELOG.md').match(/^## \[?(\d+\.\d+\.\d+)/m) ?? [];
  const versions = [
    JSON.parse(textOf('package.json')).version,
    JSON.parse(textOf('package-lock.json')).version,
    newest,
  ];
  expect(versions).toEqual([VERSION, VERSION, VERSION]);
});
