// What yargs says about a wrong command line, in one clear line.

import { UsageError } from '../errors.ts';
import { isOptionName, rowOf } from './option-table.ts';

const TRANSLATIONS: readonly [RegExp, (found: string, argv: readonly string[]) => string][] = [
  [/^Unknown (?:argument|option|command)s?: (.*)$/s, unknown],
  [/^Not enough arguments following: (.*)$/s, name => `--${name} needs a value`],
  [
    /^Missing required arguments?: (.*)$/s,
    names =>
      `${names
        .split(', ')
        .map(name => `--${name}`)
        .join(', ')} is missing`,
  ],
  [/^Not enough non-option arguments: (.*)$/s, (_, argv) => tooFew(argv)],
];

/** `argv` as typed: yargs tells names without their dashes. */
export function usageErrorOf(message: string, argv: readonly string[]): UsageError {
  for (const [pattern, words] of TRANSLATIONS) {
    const found = pattern.exec(message)?.[1];
    if (found !== undefined) return new UsageError(words(found, argv));
  }
  return new UsageError(message);
}

function unknown(names: string, argv: readonly string[]): string {
  const typed = names.split(', ').map(name => asTyped(name, argv));
  return `unknown: ${typed.join(', ')} (${['lostwrite', ...commandWords(argv)].join(' ')} --help lists what there is)`;
}

function asTyped(name: string, argv: readonly string[]): string {
  const words = argv.map(word => word.split('=')[0]);
  return [`--${name}`, `-${name}`].find(option => words.includes(option)) ?? name;
}

function tooFew(argv: readonly string[]): string {
  const command = commandWords(argv).join(' ');
  return `${command}: an argument is missing (lostwrite ${command} --help)`;
}

const COMMANDS = ['scan', 'sweep', 'baseline', 'inspect', 'explain', 'demo'];
const BASELINE_COMMANDS = ['create', 'list', 'show', 'drop'];

function commandWords(argv: readonly string[]): string[] {
  const [first = '', second = ''] = argv;
  if (!COMMANDS.includes(first)) return [];
  return first === 'baseline' && BASELINE_COMMANDS.includes(second) ? [first, second] : [first];
}

/** yargs takes `--quiet=maybe` for false, and `--no-json` for a file named "false": refused before it sees them. */
export function refuseOddFlags(argv: readonly string[]): void {
  const end = argv.indexOf('--');
  for (const word of end === -1 ? argv : argv.slice(0, end)) {
    const [, flag, value] = /^--([a-z-]+)=(.*)$/s.exec(word) ?? [];
    if (flag !== undefined && isFlag(flag) && value !== 'true' && value !== 'false')
      throw new UsageError(`--${flag} takes no value`);
    const [, negated] = /^--no-([^=]*)/.exec(word) ?? [];
    if (negated !== undefined && !isFlag(negated)) throw new UsageError(unknown(`no-${negated}`, argv));
  }
}

function isFlag(name: string): boolean {
  return isOptionName(name) && rowOf(name).kind === 'flag';
}
