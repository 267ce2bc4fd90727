import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { reportSchemaText } from '../../src/report/schema.ts';
import { sweepSchemaText } from '../../src/report/sweep-schema.ts';

const SCHEMAS = [
  ['report.schema.json', 'schema.ts', reportSchemaText()],
  ['sweep.schema.json', 'sweep-schema.ts', sweepSchemaText()],
] as const;

test.each(SCHEMAS)('%s is what %s says (npm run schema writes it)', (file, _, text) => {
  expect(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')).toBe(text);
});

test.each(SCHEMAS)('%s is draft 2020-12, and no object refuses additional properties', (_, __, text) => {
  const schema: unknown = JSON.parse(text);
  expect(schema).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object' });
  expect(text).not.toContain('"additionalProperties": false');
});
