import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { reportSchemaText } from '../../src/report/schema.ts';

const COMMITTED = new URL('../../report.schema.json', import.meta.url);

test('report.schema.json is what schema.ts says (npm run schema writes it)', () => {
  expect(readFileSync(COMMITTED, 'utf8')).toBe(reportSchemaText());
});

test('it is draft 2020-12, and no object refuses additional properties', () => {
  const schema: unknown = JSON.parse(reportSchemaText());
  expect(schema).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object' });
  expect(reportSchemaText()).not.toContain('"additionalProperties": false');
});
