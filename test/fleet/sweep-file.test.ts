// Lists of targets as people write them: what they come to, and the one line that a wrong one gets.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { type NamedEntry, readTargets } from '../../src/fleet/expand-images.ts';

let here = '';
beforeEach(() => {
  here = mkdtempSync(join(tmpdir(), 'lwr-list-'));
});
afterEach(() => rmSync(here, { recursive: true }));

function read(name: string, text: string): NamedEntry[] {
  const file = join(here, name);
  writeFileSync(file, text);
  return readTargets(file);
}

function refusal(name: string, text: string): string {
  try {
    read(name, text);
  } catch (error) {
    if (error instanceof UsageError) return error.message.replaceAll(`${here}/`, '');
    throw error;
  }
  return 'nothing was refused';
}

describe('a list of targets', () => {
  const FIELDS = {
    name: 'vm1',
    image: 'vm1.img',
    window: '2014-06-02..',
    before: ['a.img', 'b.img'],
    owner: 'web, team',
    ticket: '17',
    priority: 2,
    exclude: ['/var/log'],
    'time-limit': '90m',
  };

  test.each([
    [
      'yaml',
      `# all of them
- name: vm1
  image: vm1.img
  window: 2014-06-02..
  before: [a.img, b.img]
  owner: web, team
  ticket: 17
  priority: 2
  exclude: /var/log
  time-limit: 90m
  x-rack: not ours
- {path: /srv, owner: ~}
`,
    ],
    [
      'json',
      `{"targets": [
{"name": "vm1", "image": "vm1.img", "window": "2014-06-02..", "before": ["a.img", "b.img"], "owner": "web, team",
 "ticket": 17, "priority": 2, "exclude": ["/var/log"], "time-limit": "90m", "x-rack": {"not": "ours"}},
{"path": "/srv"}]}`,
    ],
    [
      'csv',
      `Name,image,path,window,before,owner,ticket,priority,exclude,time-limit,x-rack\r
vm1,vm1.img,,2014-06-02..,a.img; b.img,"web, team",17,2,/var/log,90m,not ours\r
,,/srv,,,,,,,,\r
`,
    ],
  ])('reads the same in %s', (ending, text) => {
    const [first, second, ...more] = read(`list.${ending}`, text);
    expect(first).toMatchObject({ name: 'vm1', kind: 'image', target: join(here, 'vm1.img'), fields: FIELDS });
    expect(second).toMatchObject({ name: '/srv', kind: 'directory', target: '/srv', fields: { path: '/srv' } });
    expect(more).toEqual([]);
  });

  test('lets a glob stand for images, and names them by their place below its folder', () => {
    for (const folder of ['images', 'images/old']) mkdirSync(join(here, folder));
    for (const file of ['b.img', 'a.img', 'c.txt', 'old/a.img']) writeFileSync(join(here, 'images', file), '');
    const all = read('list.yaml', '- {image: "images/**/*.img", owner: web}\n- {name: txt, image: images/*.txt}\n');
    expect(all.map(({ name, target, fields }) => [name, target, fields.owner])).toEqual([
      ['a.img', join(here, 'images/a.img'), 'web'],
      ['b.img', join(here, 'images/b.img'), 'web'],
      ['old/a.img', join(here, 'images/old/a.img'), 'web'],
      ['txt/c.txt', join(here, 'images/c.txt'), undefined],
    ]);
  });

  test('leaves out of a glob what is a piece of another image there, or is named by itself', () => {
    const descriptor = '# Disk DescriptorFile\nCID=00000001\nparentCID=ffffffff\nRW 8 FLAT "c-flat.vmdk" 0\n';
    const files = ['a.001', 'a.002', 'b.aa', 'b.ab', 'c-flat.vmdk', 'd.img', 'e.img', 'f.002', 'g.vmdk'];
    for (const file of files) writeFileSync(join(here, file), '');
    writeFileSync(join(here, 'c.vmdk'), descriptor);
    writeFileSync(join(here, 'bad.vmdk'), '# Disk DescriptorFile\nRW 8 FLAT "g.vmdk" 0\n');
    const names = read('list.yaml', '- {name: d, image: d.img, with: e.img}\n- image: "*.{0*,a*,img,vmdk}"\n');
    expect(names.map(({ name }) => name)).toEqual(['d', 'a.001', 'b.aa', 'bad.vmdk', 'c.vmdk', 'f.002', 'g.vmdk']);
    expect(read('list.yaml', '- image: a.002\n').map(({ name }) => name)).toEqual(['a.002']);
  });

  test('takes a file that is called like a glob for what it is', () => {
    writeFileSync(join(here, 'vm[1].img'), '');
    expect(read('list.yaml', '- image: vm[1].img\n').map(({ name }) => name)).toEqual(['vm[1].img']);
  });
});

describe('a wrong list gets one line that says where and what', () => {
  const FIELDS =
    'name, image, path, with, window, baseline, before, owner, ticket, priority, include, exclude, reference, allow-backing, time-limit';

  test.each([
    ['list.txt', '', 'list.txt: a list of targets ends in .yaml, .json or .csv'],
    ['list.yaml', '', 'list.yaml: expected a list of targets'],
    ['list.yaml', '[]', 'list.yaml: it lists no target'],
    ['list.yaml', 'image: vm1.img', 'list.yaml: expected a list of targets'],
    [
      'list.yaml',
      '- image: a\n- vm2.img\n',
      'list.yaml:2: expected a target with its fields, such as "image: vm42.qcow2"',
    ],
    ['list.yaml', '- image: a\n\n- owner: web\n', 'list.yaml:3: a target has either "image" or "path"'],
    ['list.yaml', '- image: a\n  path: b\n', 'list.yaml:1: a target has either "image" or "path"'],
    [
      'list.yaml',
      '- image: a\n  windw: x\n',
      `list.yaml:2: unknown field "windw"; there are ${FIELDS}, and x-... for notes`,
    ],
    ['list.yaml', '- image: a\n  password: x\n', 'list.yaml:2: "password": a list of targets holds no credentials'],
    ['list.yaml', '- image: a\n  api_token: x\n', 'list.yaml:2: "api_token": a list of targets holds no credentials'],
    ['list.yaml', '- image: a\n  priority: high\n', 'list.yaml:2: "priority" must be a whole number, 1 first'],
    ['list.yaml', '- image: a\n  priority: 0\n', 'list.yaml:2: "priority" must be a whole number, 1 first'],
    ['list.yaml', '- image: [a, b]\n', 'list.yaml:1: "image" must be the path or glob of disk images'],
    ['list.yaml', '- image: ""\n', 'list.yaml:1: "image" must be the path or glob of disk images'],
    [
      'list.yaml',
      '- name: x\n  image: a\n- name: x\n  image: b\n',
      'list.yaml:3: the name "x" is used twice, first at list.yaml:1',
    ],
    ['list.yaml', '- image: a\n- image: none/*.img\n', 'list.yaml:2: no file matches none/*.img'],
    ['list.yaml', '- image: a\n  owner: "x\n', 'list.yaml:3: no valid YAML: Missing closing "quote'],
    ['list.json', '[{"image": "a"},\n {"image" "b"}]', 'list.json: no valid JSON: '],
    ['list.json', '[{"image": "a"},\n {"image": "b",\n  "owner": {}}]', 'list.json:3: "owner" must be a text'],
    ['list.csv', 'name,image\nvm1,"a\nb\n', 'list.csv:2: a quote is not closed, or stands amid a cell'],
    ['list.csv', 'name,image\nvm1,a,b\n', 'list.csv:2: 3 cells, the heading has 2'],
    ['list.csv', 'image,name,image\na,b,c\n', 'list.csv:1: the column "image" stands there twice'],
    [
      'list.csv',
      'image,note\n"a\nb",\nc,d\n',
      `list.csv:4: unknown field "note"; there are ${FIELDS}, and x-... for notes`,
    ],
    ['list.csv', 'image\n', 'list.csv: it lists no target'],
  ])('%s: %j', (name, text, line) => {
    const message = refusal(name, text);
    expect(message.slice(0, line.length)).toBe(line);
    expect(message).not.toContain('\n');
  });

  test('and one that is not there as well', () => {
    expect(() => readTargets(join(here, 'none.yaml'))).toThrow(`${here}/none.yaml: no such file or directory`);
  });
});
