import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { schemaErrors } from '../report/report-validator.ts';
import { BINARY, environment, lostwrite, ROOT } from './built-binary.ts';

let here = '';
beforeAll(() => {
  here = mkdtempSync(join(tmpdir(), 'lwr-binary-'));
  mkdirSync(join(here, 'target'));
  writeFileSync(join(here, 'target/file'), 'content');
}, 120_000);
afterAll(() => rmSync(here, { recursive: true }));

describe('the program', () => {
  test('knows its version', () => {
    const { stdout, stderr, status } = lostwrite(['--version'], here);
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect({ stdout, stderr, status }).toEqual({ stdout: `${version}\n`, stderr: '', status: 0 });
  });

  test.each([
    [[], 'lostwrite: say what to do, for example: lostwrite scan /    (lostwrite --help tells more)'],
    [['scan', 'none'], 'lostwrite: none: no such file or directory'],
    [['scan', 'target', '--html', 'x'], 'lostwrite: unknown: --html (lostwrite scan --help lists what there is)'],
    [
      ['scan', 'target', '--window', '2014-06-07..2014-06-02'],
      'lostwrite: --window: 2014-06-07..2014-06-02 ends before it begins',
    ],
    [
      ['scan', 'target', '--fail-on', 'bad:likely', '--verbose'],
      expect.stringMatching(/^lostwrite: --fail-on: "bad:likely": no such verdict/),
    ],
    [
      ['scan', 'target', '--json', 'r.json'],
      expect.stringMatching(/^lostwrite: the report \S+r\.json would lie on the scanned file system/),
    ],
    [
      ['baseline', 'create', 'target', '--name', 'n'],
      expect.stringMatching(/^lostwrite: the store \S+ would lie on the scanned file system/),
    ],
    [
      ['baseline', 'show', 'n', '--store', 'none.db'],
      expect.stringMatching(/^lostwrite: store \S+none\.db does not exist/),
    ],
  ])('%j: one line on standard error, exit code 2', (args, line) => {
    const { stdout, stderr, status } = lostwrite(args, here);
    expect({ stdout, lines: stderr.split('\n'), status }).toEqual({ stdout: '', lines: [line, ''], status: 2 });
  });

  test('scans a directory: a valid report on standard output, the summary on standard error', () => {
    const { stdout, stderr, status } = lostwrite(['scan', 'target', '--json', '-'], here);
    expect(status).toBe(0);
    const report = JSON.parse(stdout);
    expect(schemaErrors(report)).toEqual([]);
    expect(report.summary.files).toBe(1);
    expect(stderr).toContain('The store would lie on the scanned file system: it is kept in memory');
    expect(stderr).toContain('Scanned 1 file and 1 directory');
    expect(stderr).not.toMatch(/[\x00-\x09\x0b-\x1f]/);
  });

  test('is silent when nobody reads its output any more', () => {
    const script = `'${process.execPath}' '${BINARY}' scan target --json - --quiet | true; echo "\${PIPESTATUS[0]}"`;
    const output = execFileSync('bash', ['-c', script], { cwd: here, env: environment(here), encoding: 'utf8' });
    expect(output).toBe('0\n');
  });

  test('behind a full standard output it says so in one line', () => {
    const script = `'${process.execPath}' '${BINARY}' scan target --json - --quiet > /dev/full; echo $?`;
    const output = execFileSync('bash', ['-c', `(${script}) 2>&1`], {
      cwd: here,
      env: environment(here),
      encoding: 'utf8',
    });
    expect(output).toBe('lostwrite: cannot write the output: no space left on the device\n2\n');
  });
});

/** Waits until Ctrl-C, and until the second one if it is to hang. */
const WAITING_RUN = `
export function identityOf() {
  return { device: '1', inode: '1', sizeBytes: 0, mtimeNs: '0' };
}
export async function scan(options, hooks) {
  const report = ${JSON.stringify({
    tool: { name: 'lostwrite', version: '0.1.0' },
    target: { kind: 'directory', name: 't', path: '/t', container: null, volumes: [] },
    window: null,
    references: [],
    summary: {
      files: 0,
      directories: 0,
      bytesRead: 0,
      durationMs: 0,
      vouched: 0,
      atRisk: 0,
      hasFindings: false,
      verdicts: { unreadable: 0, garbage: 0, stale: 0, missing: 0, resurrected: 0, altered: 0, suspect: 0 },
    },
    blocks: [],
    orphans: [],
    extents: [],
    errors: [],
  })};
  const alive = setInterval(() => undefined, 1000);
  hooks.onNotice('waiting');
  await new Promise(resolve => hooks.signal.addEventListener('abort', () => options.jobs === 1 && resolve()));
  clearInterval(alive);
  report.run = { id: 'r', startedAtNs: 0n, finishedAtNs: 0n, complete: false };
  report.coverage = { byReference: new Map(), unvouched: 0, skipped: [] };
  report.findings = () => [];
  return { report, close: keep => hooks.onNotice('closed, kept: ' + keep) };
}
`;

describe('Ctrl-C', () => {
  let program = '';
  beforeAll(() => {
    const copy = join(here, 'copy');
    cpSync(join(ROOT, 'dist/src'), join(copy, 'dist/src'), { recursive: true });
    for (const name of ['dist/fixtures', 'dist/scanners', 'node_modules', 'package.json']) {
      symlinkSync(join(ROOT, name), join(copy, name));
    }
    program = join(copy, 'dist/src/cli.js');
    writeFileSync(join(copy, 'dist/src/run.js'), WAITING_RUN);
  });

  interface Ended {
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
  }

  const started = (
    jobs: string,
  ): { child: ChildProcess; said: (text: string) => Promise<void>; ended: Promise<Ended> } => {
    const child = spawn(process.execPath, [program, 'scan', 'target', '--json', '-', '--jobs', jobs], {
      cwd: here,
      env: environment(here),
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', chunk => {
      stdout += chunk;
    });
    const said = (text: string): Promise<void> =>
      new Promise(resolve => {
        const look = (): void => (stderr.includes(text) ? resolve() : undefined);
        child.stderr.on('data', () => queueMicrotask(look));
        look();
      });
    child.stderr.on('data', chunk => {
      stderr += chunk;
    });
    const ended = new Promise<Ended>(resolve => child.on('close', code => resolve({ code, stdout, stderr })));
    return { child, said, ended };
  };

  test.each(['SIGINT', 'SIGTERM'] as const)('%s once: the report of what there is, exit code 3', async signal => {
    const { child, said, ended } = started('1');
    await said('waiting');
    child.kill(signal);
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(3);
    expect(JSON.parse(stdout).run.complete).toBe(false);
    expect(schemaErrors(JSON.parse(stdout))).toEqual([]);
    expect(stderr).toContain('Stopping: what was found so far is being reported.');
    expect(stderr).toContain('closed, kept: true');
  });

  test('twice: it leaves at once', async () => {
    const { child, said, ended } = started('2');
    await said('waiting');
    child.kill('SIGINT');
    await said('Stopping');
    child.kill('SIGINT');
    const { code, stdout } = await ended;
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  });
});
