// Checks reports against the committed schemas with ajv, as an outside program would.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Ajv2020 } from 'ajv/dist/2020.js';
import type { FormatsPlugin } from 'ajv-formats';

const require = createRequire(import.meta.url);
const Ajv: typeof Ajv2020 = require('ajv/dist/2020');
const addFormats: FormatsPlugin = require('ajv-formats');

const ajv = new Ajv({ strict: true, allErrors: true, allowUnionTypes: true });
addFormats(ajv);

function validatorOf(schema: string): (value: unknown) => string[] {
  const validate = ajv.compile(JSON.parse(readFileSync(new URL(`../../${schema}`, import.meta.url), 'utf8')));
  return value =>
    validate(value) ? [] : (validate.errors ?? []).map(error => `${error.instancePath} ${error.message}`);
}

/** What is wrong with a report; an empty list for a valid one. */
export const schemaErrors = validatorOf('report.schema.json');

/** The same of a sweep's merged summary. */
export const sweepSchemaErrors = validatorOf('sweep.schema.json');
