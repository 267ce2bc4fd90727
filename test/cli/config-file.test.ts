import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfigFile } from '../../src/cli/config-file.ts';
import { SCAN_NAMES } from '../../src/cli/option-table.ts';
import { readSettings } from '../../src/cli/settings.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lwr-config-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const write = (name: string, text: string): void => writeFileSync(join(directory, name), text);
const load = (named: string | null = null) => loadConfigFile(directory, named);
const refusal = (text: string, name = 'lostwrite.config.json'): string => {
  write(name, text);
  try {
    load(name);
  } catch (error) {
    return (error as Error).message.replaceAll(directory, '.');
  }
  return 'accepted';
};

describe('a configuration file', () => {
  test('is looked for in the current directory; there need not be one', () => {
    expect(load()).toBeNull();
    write('lostwrite.config.json', '{"jobs": 2}');
    expect(load()?.values).toEqual(new Map([['jobs', ['2']]]));
  });

  test('says the same in JSON and YAML, by kebab-case or camelCase names', () => {
    write(
      'a.json',
      '{"window":"2014-06-02..2014-06-07","cross-mounts":true,"include":["*.db","/etc/**"],"fail-on":"stale","json":"-"}',
    );
    write(
      'b.yaml',
      'window: 2014-06-02..2014-06-07\ncrossMounts: true\ninclude: ["*.db", /etc/**]\nfailOn: stale\njson: "-"\n',
    );
    const values = load('a.json')?.values;
    expect(values).toEqual(
      new Map([
        ['window', ['2014-06-02..2014-06-07']],
        ['cross-mounts', ['true']],
        ['include', ['*.db', '/etc/**']],
        ['fail-on', ['stale']],
        ['json', ['-']],
      ]),
    );
    expect(load('b.yaml')?.values).toEqual(values);
  });

  test('knows every option of scan', () => {
    const lists = ['include', 'exclude', 'allow-backing', 'reference', 'scanner', 'fail-on'];
    const flags = ['replay', 'cross-mounts', 'metadata-only', 'force', 'allow-partial', 'quiet', 'verbose'];
    const content = SCAN_NAMES.map(name => [name, lists.includes(name) ? ['x:y'] : flags.includes(name) ? false : 'x']);
    write('lostwrite.config.json', JSON.stringify(Object.fromEntries(content)));
    expect([...(load()?.values.keys() ?? [])]).toEqual(SCAN_NAMES);
  });

  test('counts paths from its own directory', () => {
    mkdirSync(join(directory, 'sub'));
    write('sub/c.json', '{"store":"s.db","json":"../r.json","reference":["dpkg:lib/dpkg","dpkg:/abs"]}');
    expect(load('sub/c.json')?.values).toEqual(
      new Map([
        ['store', [join(directory, 'sub/s.db')]],
        ['json', [join(directory, 'r.json')]],
        ['reference', [`dpkg:${join(directory, 'sub/lib/dpkg')}`, 'dpkg:/abs']],
      ]),
    );
  });

  test('may be empty', () => {
    write('lostwrite.config.yaml', '');
    expect(load()?.values).toEqual(new Map());
  });

  test.each([
    ['{"windoww": 1}', /^\.\/lostwrite\.config\.json: unknown option "windoww"; there are window, host, /],
    ['{"html": "x"}', /unknown option "html"/],
    ['{"__proto__": "x"}', /unknown option "__proto__"/],
    ['{"jobs": [1, 2]}', /^\.\/lostwrite\.config\.json: "jobs" must be one text or number$/],
    ['{"quiet": "yes"}', /: "quiet" must be true or false$/],
    ['{"include": {"a": 1}}', /: "include" must be a text or a list of them$/],
    ['{"crossMounts": true, "cross-mounts": true}', /: "cross-mounts" stands there twice$/],
    ['{"jobs": 2', /^\.\/lostwrite\.config\.json: no valid JSON: /],
    ['[1]', /: expected options by name$/],
    ['7', /: expected options by name$/],
  ])('%s is refused', (text, message) => {
    expect(refusal(text)).toMatch(message);
  });

  test('in YAML the line of a mistake is named', () => {
    expect(refusal('jobs: 2\nwindow: [a\n', 'x.yaml')).toMatch(/^\.\/x\.yaml:3: no valid YAML: /);
  });

  test('that is not there, has an odd name or a twin is refused in one line', () => {
    expect(() => load('none.json')).toThrow(
      `cannot read the configuration ${directory}/none.json: no such file or directory`,
    );
    expect(refusal('', 'x.toml')).toBe('./x.toml: a configuration file ends in .json or .yaml');
    write('lostwrite.config.json', '{}');
    write('lostwrite.config.yaml', '{}');
    expect(() => load()).toThrow(
      'there are both lostwrite.config.json and lostwrite.config.yaml: keep one, or name one by --config',
    );
  });
});

describe('settings', () => {
  test('of the command line win over the file, option by option', () => {
    write('lostwrite.config.json', '{"jobs": 2, "include": ["a"], "quiet": true, "host": "vm1"}');
    const settings = readSettings({ jobs: '8', include: ['b', 'c'], quiet: false }, load());
    expect(settings.text('jobs')).toBe('8');
    expect(settings.list('include')).toEqual(['b', 'c']);
    expect(settings.flag('quiet')).toBe(false);
    expect(settings.text('host')).toBe('vm1');
    expect(settings.text('window')).toBeNull();
    expect(settings.list('exclude')).toEqual([]);
    expect(settings.flag('force')).toBe(false);
  });

  test('given twice or empty are refused', () => {
    expect(() => readSettings({ jobs: ['1', '2'] }, null).text('jobs')).toThrow('--jobs was given 2 times');
    expect(() => readSettings({ json: '' }, null).text('json')).toThrow('--json: the value is empty');
  });
});
