// Writes report.schema.json at the root of the package: `npm run schema`, after a change of schema.ts. Runs from dist/.

import { writeFileSync } from 'node:fs';
import { reportSchemaText } from './schema.ts';

writeFileSync(new URL('../../../report.schema.json', import.meta.url), reportSchemaText());
