// Every rule of the judge, in the order in which their evidence stands in a finding.

import type { Rule } from './rule.ts';
import { BLOCK_RULES } from './rules-blocks.ts';
import { CONTENT_RULES } from './rules-content.ts';
import { FORMAT_RULES } from './rules-formats.ts';
import { JOURNAL_RULES } from './rules-journal.ts';
import { METADATA_RULES } from './rules-metadata.ts';
import { BACK_RULES } from './rules-names-back.ts';
import { GONE_RULES } from './rules-names-gone.ts';
import { PACKAGE_RULES } from './rules-packages.ts';
import { READING_RULES } from './rules-reading.ts';

export const RULES: readonly Rule[] = [
  ...READING_RULES,
  ...CONTENT_RULES,
  ...BLOCK_RULES,
  ...METADATA_RULES,
  ...JOURNAL_RULES,
  ...GONE_RULES,
  ...BACK_RULES,
  ...PACKAGE_RULES,
  ...FORMAT_RULES,
];

/** Rules on names and inodes: a log that tells of every change of these knows better. */
export const DECIDED_BY_LOG: ReadonlySet<string> = new Set([
  ...[...METADATA_RULES, ...GONE_RULES, ...BACK_RULES].map(({ name }) => name),
  'another-inode-of-old',
  'reborn-under-its-name',
  'reborn-where-numbers-return',
]);

export const RULE_BY_NAME: ReadonlyMap<string, Rule> = new Map(RULES.map(rule => [rule.name, rule]));
