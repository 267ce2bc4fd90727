// Who may import whom. Rooms are the folders of src/ and its single files, scanners/, fixtures/ and bench/.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { ROOT } from './set-up/compile.ts';

const WORDS = ['model', 'errors', 'path', 'figures'];
const LAYERS = ['bytes', 'volumes', 'filesystems', 'tree'];
const KNOWLEDGE = ['struct', ...WORDS, ...LAYERS, 'digest', 'store', 'references', 'formats'];
const ENGINE = [...KNOWLEDGE, 'scanners', 'judge', 'report', 'version'];

/** A room and the rooms that it may import. Each may import itself. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  model: [],
  errors: [],
  version: [],
  path: ['model'],
  figures: [],
  struct: ['errors'],
  judge: WORDS,
  report: WORDS,
  store: [...WORDS, 'digest'],
  bytes: ['struct', ...WORDS],
  volumes: ['bytes', 'struct', ...WORDS],
  filesystems: ['bytes', 'volumes', 'struct', ...WORDS],
  tree: ['bytes', 'volumes', 'filesystems', 'struct', ...WORDS],
  digest: ['bytes', ...WORDS],
  references: [...LAYERS, 'digest', 'store', 'struct', ...WORDS],
  formats: ['bytes', 'digest', 'struct', ...WORDS],
  scanners: KNOWLEDGE,
  pool: ENGINE,
  run: [...ENGINE, 'pool', 'fixtures'],
  fleet: [...WORDS, 'run', 'store', 'report'],
  cli: [...WORDS, 'run', 'fleet', 'report', 'version'],
  fixtures: [...WORDS, 'struct'],
  bench: [...ENGINE, 'pool', 'run', 'cli', 'fixtures'],
};

/** Single modules that are held tighter than their room. */
const NARROWER: readonly (readonly [module: RegExp, forbidden: RegExp, why: string])[] = [
  [/^(?!src\/run\/with-demo\.ts$)src\//, /^fixtures\//, 'only the demo makes incidents'],
  [/^(?!src\/(run|store)[/.])(src|scanners)\//, /^src\/store\/.*writer/, 'only a run writes to the store'],
  [/^src\/cli\/(?!run-functions\.ts$)/, /^src\/run(?!\/options\.ts$)/, 'commands meet the engine in one place'],
];

interface Arrow {
  readonly from: string;
  readonly to: string;
}

function modules(): string[] {
  return ['src', 'scanners', 'fixtures', 'bench'].flatMap(top =>
    readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.ts'))
      .map(name => join(top, name)),
  );
}

/** Static, dynamic and type-only imports, and re-exports, of the project's own modules. */
function arrowsOf(from: string): Arrow[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(ROOT, from), 'utf8'), true, true);
  const own = importedFiles.map(({ fileName }) => fileName).filter(name => name.startsWith('.'));
  return own.map(name => ({ from, to: relative('.', normalize(join(dirname(from), name))) }));
}

function roomOf(module: string): string {
  const [top = '', second = '', ...deeper] = module.split('/');
  if (top !== 'src') return top;
  return deeper.length > 0 ? second : second.replace(/\.ts$/, '');
}

const MODULES = modules();
const ALL = MODULES.flatMap(arrowsOf);

describe('the imports of the modules', () => {
  test('were read', () => {
    expect(MODULES.length).toBeGreaterThan(100);
    expect(ALL).toContainEqual({ from: 'src/cli.ts', to: 'src/cli/command-line.ts' });
    expect(ALL).toContainEqual({ from: 'src/cli/run-functions.ts', to: 'src/run.ts' });
    expect(ALL).toContainEqual({ from: 'scanners/worker.ts', to: 'src/digest/read-content.ts' });
  });

  test('lead from room to room along the arrows', () => {
    const wrong = ALL.filter(({ from, to }) => {
      const [room, other] = [roomOf(from), roomOf(to)];
      return room !== other && !ARROWS[room]?.includes(other);
    });
    expect(wrong).toEqual([]);
  });

  test.each(NARROWER)('of %s avoid %s: %s', (module, forbidden) => {
    expect(ALL.some(({ to }) => forbidden.test(to))).toBe(true);
    expect(ALL.filter(({ from, to }) => module.test(from) && forbidden.test(to))).toEqual([]);
  });

  test('name modules that exist, with their ending', () => {
    const known = new Set(MODULES);
    expect(ALL.filter(({ to }) => !known.has(to))).toEqual([]);
  });

  test('run in no circle from room to room', () => {
    for (const room of Object.keys(ARROWS)) expect(reachable(room)).not.toContain(room);
  });
});

/** The rooms that a room leads to, directly or through others. */
function reachable(room: string): ReadonlySet<string> {
  const next = new Map<string, Set<string>>();
  for (const { from, to } of ALL) {
    if (roomOf(from) === roomOf(to)) continue;
    next.set(roomOf(from), (next.get(roomOf(from)) ?? new Set()).add(roomOf(to)));
  }
  const found = new Set<string>();
  const open = [...(next.get(room) ?? [])];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (found.has(at)) continue;
    found.add(at);
    open.push(...(next.get(at) ?? []));
  }
  return found;
}
