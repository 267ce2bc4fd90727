// What --help says beyond the list of options: examples that make sense to somebody who has read nothing else.

type Example = readonly [command: string, meaning: string];

const GENERAL: readonly Example[] = [
  ['lostwrite scan /', 'Check the running system against its package database.'],
  [
    'lostwrite scan /mnt/vm42 --window 2014-06-02..2014-06-07 --json vm42.json',
    'A mounted disk, writes of these days may be lost. Prints a summary, and keeps every finding in vm42.json.',
  ],
  ['lostwrite sweep vms.yaml --out reports', 'Scan every disk image that vms.yaml lists; a killed sweep goes on.'],
  ['lostwrite baseline create /srv --name srv', 'Remember how /srv is today, to compare with it after an incident.'],
  ['lostwrite scan /srv --baseline srv', 'Compare with what was remembered.'],
  ['lostwrite explain /mnt/vm42 /usr/bin/ssh', 'Why is this file listed?'],
  ['lostwrite demo', 'See all of it happen on a small disk in a temporary place.'],
];

const SCAN: readonly Example[] = [
  ['lostwrite scan /mnt/vm42 --window 2014-06-02T18:00+02:00..', 'Writes may be lost since that evening.'],
  ['lostwrite scan /mnt/vm42 --baseline nightly', 'Compare with the states that "baseline create" kept.'],
  [
    'lostwrite scan /mnt/vm42 --reference dpkg:/mnt/backup/var/lib/dpkg',
    'The package database may be damaged as well: use that of a backup.',
  ],
  ['lostwrite scan / --json - --quiet | jq .summary', 'For scripts: the report alone, on standard output.'],
];

const EXIT_CODES = `Exit codes:
  0  everything was scanned, and nothing that --fail-on lists was found
  1  everything was scanned, and there are findings
  2  it could not be done: one line on standard error says why
  3  not everything could be scanned: the report says what was left out`;

const PROMISE = 'Nothing is ever written to what is scanned.';

export const GENERAL_EPILOGUE = `${examples(GENERAL)}\n\n${EXIT_CODES}\n\n${PROMISE}`;
export const SCAN_EPILOGUE = `${examples(SCAN)}\n\n${EXIT_CODES}`;

const SWEEP_LIST = `A list in YAML (JSON and CSV have the same fields; in a cell of CSV, several values stand apart by ";"):
  - name: vm042                          # default: the path as written
    image: vm042.qcow2                   # or "path", a directory; paths count from the list
    window: 2014-06-02..2014-06-07       # default: --window
    baseline: vm042                      # a baseline of the store
    owner: web team
    ticket: OPS-17
    priority: 1                          # 1 is scanned first
    time-limit: 6h                       # default: --time-limit
  - image: archive/**/*.qcow2            # a target for each file that matches
    exclude: [/var/log]                  # also: include, reference, allow-backing, before`;

export const SWEEP_EPILOGUE = `${SWEEP_LIST}

Exit codes:
  0  every target was scanned, and nothing that --fail-on lists was found
  1  every target was scanned, and there are findings
  2  it could not be done: one line on standard error says why
  3  a target failed or was scanned in part: the merged summary says which and why`;

export const DEMO_EPILOGUE = `Exit codes:
  0  the demo was made and scanned (it finds damage: that is what it is for)
  2  it could not be made: one line on standard error says why
  3  it was interrupted`;

function examples(list: readonly Example[]): string {
  return ['Examples:', ...list.flatMap(([command, meaning]) => [`  ${command}`, `      ${meaning}`])].join('\n');
}

/** A type at the end of a line, or alone in one, says nothing that the description does not. */
const TYPES = /\s+(?:\[(?:string|array|boolean|required|default: \[\])\] ?)+$/gm;

/** yargs' help without the clutter. */
export function tidyHelp(help: string): string {
  return help.replace(TYPES, '');
}
