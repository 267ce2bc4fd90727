// Writes report.schema.json and sweep.schema.json at the root of the package: `npm run schema`, after a change of schema.ts or
// sweep-schema.ts. Runs from dist/.

import { writeFileSync } from 'node:fs';
import { reportSchemaText } from './schema.ts';
import { sweepSchemaText } from './sweep-schema.ts';

writeFileSync(new URL('../../../report.schema.json', import.meta.url), reportSchemaText());
writeFileSync(new URL('../../../sweep.schema.json', import.meta.url), sweepSchemaText());
