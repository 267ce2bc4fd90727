// Checks reports against the committed report.schema.json with ajv, as an outside program would.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Ajv2020 } from 'ajv/dist/2020.js';
import type { FormatsPlugin } from 'ajv-formats';

const require = createRequire(import.meta.url);
const Ajv: typeof Ajv2020 = require('ajv/dist/2020');
const addFormats: FormatsPlugin = require('ajv-formats');

const ajv = new Ajv({ strict: true, allErrors: true, allowUnionTypes: true });
addFormats(ajv);
const validate = ajv.compile(JSON.parse(readFileSync(new URL('../../report.schema.json', import.meta.url), 'utf8')));

/** What is wrong with a report; an empty list for a valid one. */
export function schemaErrors(report: unknown): string[] {
  return validate(report) ? [] : (validate.errors ?? []).map(error => `${error.instancePath} ${error.message}`);
}
