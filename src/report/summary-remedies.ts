// The section of the summary that says what to do, all findings together.

import { countOf, figure } from '../figures.ts';
import type { Display } from './display.ts';
import { printablePath } from './printable.ts';
import type { ActionGroup, RemedyGroups } from './remedy-groups.ts';
import type { Tally } from './tally.ts';
import type { VolumeSuffix } from './volume-name.ts';
import { ACTION_WORDS } from './words.ts';
import { wrapText } from './wrap.ts';

/** Package names in one command: a line that still can be read, and pasted. */
const PACKAGES_A_COMMAND = 40;
const COMMANDS_SHOWN = 5;

export function remedyLines({ remedies }: Tally, display: Display): string[] {
  return groupLines('What to do', remedies, display);
}

/** What may be a change that somebody made on purpose stands apart: nothing of it is to be pasted unseen. */
export function hintRemedyLines({ reported, hintRemedies }: Tally, display: Display): string[] {
  const which = reported > 0 ? 'What to do about the rest' : 'What to do';
  return groupLines(`${which}, unless these changes were meant`, hintRemedies, display);
}

function groupLines(title: string, remedies: RemedyGroups, { palette, columns, volumeOf }: Display): string[] {
  const { packages, packagePaths, actions } = remedies;
  if (packages.size === 0 && actions.length === 0) return [];
  const lines = [palette.strong(title)];
  for (const [prefix, words] of packages) lines.push(...packageLines(prefix, [...words], columns));
  if (packagePaths > 0) lines.push(...wrapText(`(puts ${countOf(packagePaths, 'path')} right)`, columns, 4));
  return [...lines, ...actions.flatMap(group => actionLines(group, volumeOf, columns))];
}

function packageLines(prefix: string, words: readonly string[], columns: number): string[] {
  const sorted = [...words].sort();
  const commands: string[] = [];
  for (let at = 0; at < sorted.length; at += PACKAGES_A_COMMAND) {
    commands.push(`    ${prefix} ${sorted.slice(at, at + PACKAGES_A_COMMAND).join(' ')}`);
  }
  const rest = sorted.length - PACKAGES_A_COMMAND * COMMANDS_SHOWN;
  return [
    ...wrapText(`Reinstall ${countOf(sorted.length, 'package')}:`, columns, 2),
    ...commands.slice(0, COMMANDS_SHOWN),
    ...(rest > 0 ? [`    and ${figure(rest)} more packages: the report names them`] : []),
  ];
}

function actionLines(group: ActionGroup, volumeOf: VolumeSuffix, columns: number): string[] {
  const sentence = `${ACTION_WORDS[group.action]}: ${countOf(group.count, 'path')}`;
  const shown = group.examples.map(
    ({ path, volume, command }) => `    ${command ?? `${printablePath(path)}${volumeOf(volume)}`}`,
  );
  const rest = group.count - group.examples.length;
  return [...wrapText(sentence, columns, 2), ...shown, ...(rest > 0 ? [`    and ${figure(rest)} more`] : [])];
}
