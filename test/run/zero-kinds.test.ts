// In which kinds of files blocks of zeros are common.

import { expect, it } from 'vitest';
import { ZeroKinds } from '../../src/run/zero-kinds.ts';

function learned(path: string, files: number, withZeros: number): ZeroKinds {
  const kinds = new ZeroKinds();
  for (let index = 0; index < files; index++) kinds.add(path.replace('N', String(index)), index < withZeros);
  return kinds;
}

it('are those of which more than one in five had one', () => {
  expect(learned('/d/N.bin', 10, 2).mayHoldZeros('/e/new.bin')).toBe(false);
  expect(learned('/d/N.bin', 10, 3).mayHoldZeros('/e/new.bin')).toBe(true);
});

it('are all of which less than ten files are known', () => {
  expect(learned('/d/N.bin', 9, 0).mayHoldZeros('/e/new.bin')).toBe(true);
  expect(learned('/d/N.bin', 10, 0).mayHoldZeros('/e/new.img')).toBe(true);
});

it('are told by the ending, whatever its case and the number of a rotation; names without one are a kind', () => {
  const logs = learned('/var/log/N.log.1', 10, 0);
  expect(['/a.log', '/A.LOG', '/a.log.7'].map(path => logs.mayHoldZeros(path))).toEqual([false, false, false]);
  expect(['/log', '/a.logs', '/a.7'].map(path => logs.mayHoldZeros(path))).toEqual([true, true, true]);
  expect(learned('/bin/N', 10, 0).mayHoldZeros('/bin/sh')).toBe(false);
});
