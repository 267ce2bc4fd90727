import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { schemaErrors } from '../report/report-validator.ts';
import { lostwrite } from './built-binary.ts';

let here = '';
beforeAll(() => {
  here = mkdtempSync(join(tmpdir(), 'lwr-demo-'));
  mkdirSync(join(here, 'temporary'));
});
afterAll(() => rmSync(here, { recursive: true }));

const PATIENCE_MS = 120_000;

test('the demo ends with 0 although it finds damage, tells what really happened, and leaves nothing behind', {
  timeout: PATIENCE_MS,
}, () => {
  const { stdout, status } = lostwrite(['demo', '--json', 'report.json'], here, {
    TMPDIR: join(here, 'temporary'),
  });
  expect(status).toBe(0);
  const report = JSON.parse(readFileSync(join(here, 'report.json'), 'utf8'));
  expect(schemaErrors(report)).toEqual([]);
  const counted = report.findings.filter(
    ({ verdict, confidence }: { verdict: string; confidence: string }) =>
      !['altered', 'suspect'].includes(verdict) && confidence !== 'possible',
  );
  const [, damaged, found, wrong] =
    stdout.match(/really happened: ([\d,]+) paths were damaged\.\nThe scan reported ([\d,]+) of them, and ([\d,]+) /) ??
    [];
  expect(Number(damaged?.replace(',', ''))).toBeGreaterThan(20);
  expect(Number(found?.replace(',', '')) + Number(wrong?.replace(',', ''))).toBe(counted.length);
  expect(stdout).not.toContain('lostwrite explain');
  expect(readdirSync(join(here, 'temporary'))).toEqual([]);
});
