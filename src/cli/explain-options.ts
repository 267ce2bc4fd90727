// The options of a scan that an `explain` needs as well, or it would see something else or be refused.

import type { OptionName } from './option-table.ts';
import type { Settings } from './settings.ts';

const VALUED: readonly OptionName[] = [
  'with',
  'window',
  'store',
  'baseline',
  'before',
  'reference',
  'allow-backing',
  'suspect-extents',
];
const FLAGS: readonly OptionName[] = ['cross-mounts', 'force'];

/** As words of a command line, not quoted. */
export function explainOptions(settings: Settings): string[] {
  return [
    ...VALUED.flatMap(name => settings.list(name).flatMap(value => [`--${name}`, value])),
    ...FLAGS.filter(name => settings.flag(name)).map(name => `--${name}`),
    ...(settings.isOff('replay') ? ['--no-replay'] : []),
  ];
}
