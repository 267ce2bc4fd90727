// A scan that is stopped, killed, or overtaken by writers: what it reports, and what the next one makes of it.

import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { blobs, HAS_STRACE, SLOWLY, scanArgs, until } from './interrupted.ts';
import { findingsText, Place, parseReport, type Started } from './program.ts';

// The whole program runs in each test, on machines that do other things as well.
vi.setConfig({ testTimeout: 120_000 });

let place: Place;
beforeAll(() => {
  place = new Place();
}, 120_000);
afterAll(() => place.remove());

const MIB = 1024 * 1024;
const FILES = 16;
const FILE_BYTES = 32 * MIB;

/** Files of holes: large to read, nothing to write. Every batch of the plan is one file. */
function makeHoles(root: string): void {
  mkdirSync(root);
  for (let number = 0; number < FILES; number++) {
    const file = `${root}/file${String(number).padStart(2, '0')}`;
    writeFileSync(file, `file ${number}`);
    truncateSync(file, FILE_BYTES);
  }
}

function hasOpen(started: Started, file: string): boolean {
  const directory = `/proc/${started.child.pid}/fd`;
  if (!existsSync(directory)) return false;
  return readdirSync(directory).some(fd => {
    try {
      return readlinkSync(`${directory}/${fd}`) === file;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
      throw error;
    }
  });
}

describe.skipIf(!HAS_STRACE)('a killed program', () => {
  let root = '';
  const total = FILES * FILE_BYTES;
  beforeAll(() => {
    root = place.at('killed');
    makeHoles(root);
  });

  test('baseline create goes on where it was killed, and then compares equal', async () => {
    const args = ['baseline', 'create', root, '--name', 'nightly', '--store', place.store, '--force', '--jobs', '1'];
    const first = place.start(args, SLOWLY);
    await until(first, () => blobs(place.store, 'content:%') >= 2);
    first.child.kill('SIGKILL');
    expect((await first.ended).signal).toBe('SIGKILL');
    expect(place.run(['baseline', 'list', '--store', place.store]).stdout).not.toContain('nightly');

    const kept = blobs(place.store, 'content:%');
    expect(kept).toBeGreaterThan(0);
    const trace = place.at('trace');
    const strace = ['strace', '-f', '-o', trace, '-e', 'trace=openat,open'];
    const second = place.run(args, strace);
    expect({ status: second.status, stderr: second.stderr }).toEqual({
      status: 0,
      stderr: 'resuming a run that did not finish\n',
    });
    const opened = execFileSync('grep', ['-c', `"${root}/file`, trace], { encoding: 'utf8' });
    expect(Number(opened)).toBe(FILES - kept);
    const { report, status } = place.scan(root, ['--baseline', 'nightly']);
    expect({ status, findings: report.findings }).toEqual({ status: 0, findings: [] });
  });

  test('scan reads only what was not read, and finds the same', async () => {
    for (const file of ['file03', 'file11']) writeFileSync(`${root}/${file}`, 'damaged', { flag: 'r+' });
    const [whole, killed] = [place.at('whole.db'), place.at('killed.db')];
    for (const store of [whole, killed]) copyFileSync(place.store, store);
    const expected = place.run(scanArgs(root, whole, '--baseline', 'nightly'));

    const first = place.start(scanArgs(root, killed, '--baseline', 'nightly'), SLOWLY);
    await until(first, () => blobs(killed, 'content:%') >= 2);
    first.child.kill('SIGKILL');
    expect((await first.ended).signal).toBe('SIGKILL');

    const kept = blobs(killed, 'content:%');
    expect(kept).toBeGreaterThan(0);
    const second = place.run(scanArgs(root, killed, '--baseline', 'nightly'));
    expect(second.stderr).toContain('resuming a run that did not finish\n');
    const report = parseReport(second.stdout, second.stderr);
    expect(report.summary.bytesRead).toBe(total - kept * FILE_BYTES);
    expect(report.run.complete).toBe(true);
    expect(report.findings.map(finding => finding.path)).toEqual(['/file03', '/file11']);
    expect(findingsText(second.stdout)).toBe(findingsText(expected.stdout));
    expect(blobs(killed, '%')).toBe(0);
  });

  test('--resume never reads everything again', async () => {
    const store = place.at('never.db');
    const first = place.start(scanArgs(root, store), SLOWLY);
    await until(first, () => blobs(store, 'content:%') >= 2);
    first.child.kill('SIGKILL');
    await first.ended;
    const second = place.run(scanArgs(root, store, '--resume', 'never'));
    expect(second.stderr).not.toContain('resuming');
    expect(parseReport(second.stdout, second.stderr).summary.bytesRead).toBe(total);
  });

  test('killed while it lists: the next finds all', () => {
    const tree = place.at('listing');
    for (let number = 0; number < 40; number++) mkdirSync(`${tree}/${number}/below`, { recursive: true });
    const kill = [
      'strace',
      '-f',
      '-o',
      '/dev/null',
      '-e',
      'trace=getdents64',
      '-e',
      'inject=getdents64:signal=SIGKILL:when=30',
    ];
    expect(place.run(scanArgs(tree, place.at('listing.db')), kill).signal).toBe('SIGKILL');
    const next = place.run(scanArgs(tree, place.at('listing.db')));
    expect(parseReport(next.stdout, next.stderr).summary.directories).toBe(81);
    expect(next.status).toBe(0);
  });
});

describe.skipIf(!HAS_STRACE)('Ctrl-C while a file is read', () => {
  test('a valid report that says it is not whole, exit code 3; the next scan goes on', async () => {
    const root = place.at('stopped');
    makeHoles(root);
    const store = place.at('stopped.db');
    const first = place.start(scanArgs(root, store), SLOWLY);
    await until(first, () => blobs(store, 'content:%') >= 1 && hasOpen(first, `${root}/file03`));
    first.child.kill('SIGINT');
    const { status, stdout, stderr } = await first.ended;
    expect(status).toBe(3);
    expect(parseReport(stdout, stderr).run.complete).toBe(false);
    const next = place.run(scanArgs(root, store));
    expect(next.stderr).toContain('resuming a run that did not finish\n');
    expect(parseReport(next.stdout, next.stderr).run.complete).toBe(true);
    expect(parseReport(next.stdout, next.stderr).summary.bytesRead).toBeLessThan(FILES * FILE_BYTES);
  });
});

describe('a file that is written all the time', () => {
  test('is skipped as changing, never damage, neither by a scan nor by a baseline', async () => {
    const root = place.at('busy');
    mkdirSync(root);
    writeFileSync(`${root}/quiet`, 'quiet');
    const script = `
import os
fd = os.open(${JSON.stringify(`${root}/busy`)}, os.O_RDWR | os.O_CREAT)
os.ftruncate(fd, 256 << 20)
print("ready", flush=True)
count = 0
while True:
    count += 1
    os.pwrite(fd, b"%020d" % count, (count * 4096) % (256 << 20))
`;
    expect(place.baseline(place.at('busy'), 'calm').status).toBe(0);
    const writer = spawn('python3', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await new Promise(resolve => writer.stdout.once('data', resolve));
      const { report, status } = place.scan(root, ['--baseline', 'calm']);
      expect(report.coverage.skipped).toEqual([expect.objectContaining({ path: '/busy', reason: 'changing' })]);
      expect(report.findings).toEqual([]);
      expect(status).toBe(0);
      const captured = place.baseline(root, 'busy');
      expect(captured.status).toBe(3);
    } finally {
      writer.kill('SIGKILL');
    }
    const after = place.scan(root, ['--baseline', 'busy']);
    expect(after.report.findings).toEqual([]);
  });
});
