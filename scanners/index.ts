// Every scanner that looks into files, in the order in which their observations stand in a finding.

import type { StructureScanner } from './scanner.ts';

export const STRUCTURE_SCANNERS: readonly StructureScanner[] = [];
