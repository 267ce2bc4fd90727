// Every rule of the judge, in the order in which their evidence stands in a finding.

import type { PathCase } from './path-case.ts';
import type { Rule } from './rule.ts';
import { BLOCK_RULES } from './rules-blocks.ts';
import { CONTENT_RULES } from './rules-content.ts';
import { END_RULES } from './rules-ends.ts';
import { FORMAT_RULES } from './rules-formats.ts';
import { GIT_RULES } from './rules-git.ts';
import { GIT_FILE_RULES } from './rules-git-files.ts';
import { HISTORY_RULES } from './rules-history.ts';
import { LOG_RULES } from './rules-log.ts';
import { METADATA_RULES } from './rules-metadata.ts';
import { BACK_RULES } from './rules-names-back.ts';
import { GONE_RULES } from './rules-names-gone.ts';
import { PACKAGE_RULES } from './rules-packages.ts';
import { READING_RULES } from './rules-reading.ts';
import { SECOND_NAME_RULES } from './rules-second-names.ts';

export const RULES: readonly Rule[] = [
  ...READING_RULES,
  ...SECOND_NAME_RULES,
  ...LOG_RULES,
  ...CONTENT_RULES,
  ...BLOCK_RULES,
  ...END_RULES,
  ...HISTORY_RULES,
  ...METADATA_RULES,
  ...GONE_RULES,
  ...BACK_RULES,
  ...PACKAGE_RULES,
  ...GIT_RULES,
  ...FORMAT_RULES,
  ...GIT_FILE_RULES,
];

/** What is at home elsewhere is judged there; here only that it is shown. */
const RULES_VIA_SECOND_NAMES: readonly Rule[] = [...READING_RULES, ...SECOND_NAME_RULES, ...LOG_RULES];

/** The rules that may speak of a path. */
export function rulesFor({ seen }: PathCase): readonly Rule[] {
  return seen?.viaSecondName ? RULES_VIA_SECOND_NAMES : RULES;
}

export const RULE_BY_NAME: ReadonlyMap<string, Rule> = new Map(RULES.map(rule => [rule.name, rule]));
