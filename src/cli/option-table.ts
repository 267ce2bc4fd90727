// Every option that exists today, once: the command line, the configuration file and the help are made from this table.

import type { Options } from 'yargs';

/** text: one value; list: may be repeated; flag: on or off. */
type OptionKind = 'text' | 'list' | 'flag';

interface OptionRow {
  readonly kind: OptionKind;
  readonly describe: string;
  /** Where a configuration file's value names a file, counted from that file's directory. */
  readonly path?: 'file' | 'reference';
}

const WHAT = {
  window: {
    kind: 'text',
    describe: 'When writes may have been lost: FROM..TO, either end may be open, e.g. 2014-06-02..2014-06-07 (UTC)',
  },
  host: { kind: 'text', describe: 'Name of the target in the report (default: host name for /, else the path)' },
  include: { kind: 'list', describe: 'Only paths within the target that match this glob (may be repeated)' },
  exclude: { kind: 'list', describe: 'Not the paths that match this glob (may be repeated)' },
  with: {
    kind: 'list',
    describe: 'A further image of the target: another physical volume of its LVM group (may be repeated)',
    path: 'file',
  },
  'allow-backing': {
    kind: 'list',
    describe: 'A folder, beside the image’s own, in which its backing files may lie (may be repeated)',
  },
  replay: {
    kind: 'flag',
    describe: 'Replay a journal in memory as a mount would (default; --no-replay: the raw state)',
  },
  'cross-mounts': { kind: 'flag', describe: 'Also scan file systems that are mounted below the target' },
} as const satisfies Record<string, OptionRow>;

const AGAINST = {
  store: {
    kind: 'text',
    describe: 'The file that keeps baselines (default: $LOSTWRITE_STORE, else ~/.local/state/lostwrite/store.db)',
    path: 'file',
  },
  before: {
    kind: 'list',
    describe:
      'An image of the target from before, e.g. a backup (may be repeated, oldest first): read for this scan alone',
    path: 'file',
  },
  baseline: { kind: 'text', describe: 'Compare with this baseline (see: lostwrite baseline create)' },
  reference: {
    kind: 'list',
    describe: 'Use a reference from elsewhere: KIND:PATH, e.g. dpkg:/mnt/backup/var/lib/dpkg (may be repeated)',
    path: 'reference',
  },
} as const satisfies Record<string, OptionRow>;

const WHERE = {
  stripe: {
    kind: 'text',
    describe: 'The host keeps the image in extents of this size, e.g. 4M (Ceph) or 512K (RAID): losses share them',
  },
  'suspect-extents': {
    kind: 'text',
    describe:
      'A file of suspect extents of the disk, OFFSET,LENGTH a line, or a backy quarantine report: who lives there?',
    path: 'file',
  },
} as const satisfies Record<string, OptionRow>;

const HOW = {
  scanner: { kind: 'list', describe: 'Only these scanners, separated by commas' },
  'metadata-only': { kind: 'flag', describe: 'Names, sizes and times only: fast, and blind to content' },
  jobs: { kind: 'text', describe: 'Worker threads (default: one for each processor)' },
  resume: { kind: 'text', describe: 'auto: go on where a stopped scan ended; never: begin again (default: auto)' },
  force: { kind: 'flag', describe: 'Even when store or report lie on the scanned file system' },
} as const satisfies Record<string, OptionRow>;

const OUT = {
  json: { kind: 'text', describe: 'Write the whole report to this file; -: to standard output', path: 'file' },
  'fail-on': {
    kind: 'list',
    describe: 'Findings that make the exit code 1: VERDICT[:CONFIDENCE],... or none (default: likely damage)',
  },
  'allow-partial': { kind: 'flag', describe: 'Exit with 0 or 1 even when not everything could be scanned' },
  quiet: { kind: 'flag', describe: 'Print nothing but errors' },
  verbose: { kind: 'flag', describe: 'Print more on the way' },
} as const satisfies Record<string, OptionRow>;

/** What only `sweep` has. */
const SWEEP = {
  out: {
    kind: 'text',
    describe: 'Folder for the reports and the merged summary (default: FILE-reports in the current directory)',
    path: 'file',
  },
  'time-limit': {
    kind: 'text',
    describe: 'How long one target may take before it is killed, e.g. 90m or 6h (default: 1d)',
  },
} as const satisfies Record<string, OptionRow>;

const SCAN_OPTIONS = { ...WHAT, ...AGAINST, ...WHERE, ...HOW, ...OUT };
/** The options of all commands; each may stand in a configuration file. */
export const OPTIONS = { ...SCAN_OPTIONS, ...SWEEP };
export type OptionName = keyof typeof OPTIONS;
export const SCAN_NAMES = Object.keys(SCAN_OPTIONS) as OptionName[];
/** A list of targets says these of each. */
const OF_ONE_TARGET: readonly OptionName[] = ['host', 'baseline', 'before', 'with', 'suspect-extents'];
export const SWEEP_NAMES = (Object.keys(OPTIONS) as OptionName[]).filter(name => !OF_ONE_TARGET.includes(name));

export function rowOf(name: OptionName): OptionRow {
  return OPTIONS[name];
}

export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name);
}

const GROUPS: readonly [title: string, rows: Readonly<Record<string, OptionRow>>][] = [
  ['What to scan:', WHAT],
  ['What to compare with:', AGAINST],
  ['Where on the host:', WHERE],
  ['How:', HOW],
  ['Output:', { ...OUT, ...SWEEP }],
];

/** These options as yargs takes them: all text, so that one place (settings.ts) judges the values. */
export function yargsOptions(names: readonly OptionName[]): Record<string, Options> {
  return Object.fromEntries(names.map(name => [name, yargsOption(name)]));
}

function yargsOption(name: OptionName): Options {
  const { kind, describe } = rowOf(name);
  const group = GROUPS.find(([, rows]) => Object.hasOwn(rows, name))?.[0] ?? '';
  if (kind === 'flag') return { type: 'boolean', describe, group };
  return { type: 'string', describe, group, requiresArg: true, array: kind === 'list' };
}
