// Every rule of the judge, in the order in which their evidence stands in a finding.

import type { Rule } from './rule.ts';
import { BLOCK_RULES } from './rules-blocks.ts';
import { CONTENT_RULES } from './rules-content.ts';
import { FORMAT_RULES } from './rules-formats.ts';
import { HISTORY_RULES } from './rules-history.ts';
import { LOG_RULES } from './rules-log.ts';
import { METADATA_RULES } from './rules-metadata.ts';
import { BACK_RULES } from './rules-names-back.ts';
import { GONE_RULES } from './rules-names-gone.ts';
import { PACKAGE_RULES } from './rules-packages.ts';
import { READING_RULES } from './rules-reading.ts';

export const RULES: readonly Rule[] = [
  ...READING_RULES,
  ...LOG_RULES,
  ...CONTENT_RULES,
  ...BLOCK_RULES,
  ...HISTORY_RULES,
  ...METADATA_RULES,
  ...GONE_RULES,
  ...BACK_RULES,
  ...PACKAGE_RULES,
  ...FORMAT_RULES,
];

export const RULE_BY_NAME: ReadonlyMap<string, Rule> = new Map(RULES.map(rule => [rule.name, rule]));
