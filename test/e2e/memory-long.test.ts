import { expect, test } from 'vitest';
import { measureMemory } from './million.ts';

test('a million files stay below 512 MiB', () => {
  expect(measureMemory(1_000_000)).toMatch(/^files 1000000\nbaseline create: .*\nscan: .*\n$/);
}, 1_200_000);
