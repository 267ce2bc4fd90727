// Every scanner that looks into files, in the order in which their observations stand in a finding.

import { GIT_CHECKSUMS } from './git-checksums.ts';
import { GIT_OBJECTS } from './git-objects.ts';
import { GIT_REFLOGS } from './git-reflogs.ts';
import type { StructureScanner } from './scanner.ts';
import { SQLITE } from './sqlite.ts';

export const STRUCTURE_SCANNERS: readonly StructureScanner[] = [GIT_OBJECTS, GIT_CHECKSUMS, GIT_REFLOGS, SQLITE];
