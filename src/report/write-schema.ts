// Writes report.schema.json at the root of the package: `npm run schema`, after a change of schema.ts.

import { existsSync, writeFileSync } from 'node:fs';
import { reportSchemaText } from './schema.ts';

let root = new URL('../', import.meta.url);
while (!existsSync(new URL('package.json', root))) root = new URL('../', root);
writeFileSync(new URL('report.schema.json', root), reportSchemaText());
