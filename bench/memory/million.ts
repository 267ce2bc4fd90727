// A tree of a million small files: wall time and peak memory of the whole program (main thread and workers) while it makes
// a baseline of it and scans it against that. `node dist/bench/memory/million.js [--files N] [--place DIRECTORY]`
//
// A file system with room for N inodes is needed at the place (default: the directory for temporary files).

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { errorCode } from '../../src/errors.ts';

const PROGRAM = fileURLToPath(new URL('../../src/cli.js', import.meta.url));
const FILES_PER_DIRECTORY = 100;
const LIMIT_MIB = 512;
const POLL_MS = 20;

const { values } = parseArgs({
  options: { files: { type: 'string', default: '1000000' }, place: { type: 'string', default: tmpdir() } },
});
const place = mkdtempSync(join(values.place, 'lostwrite-million-'));
try {
  process.exitCode = await measure(Number(values.files));
} finally {
  rmSync(place, { recursive: true });
}

async function measure(files: number): Promise<number> {
  const target = join(place, 'tree');
  makeTree(target, files);
  const places = ['--store', join(place, 'store.db'), '--force', '--quiet'];
  const create = await run(['baseline', 'create', target, '--name', 'million', ...places]);
  const report = join(place, 'report.json');
  const scan = await run(['scan', target, '--baseline', 'million', '--json', report, ...places]);
  const { summary } = JSON.parse(readFileSync(report, 'utf8')) as { summary: { files: number; vouched: number } };
  process.stdout.write(`files ${summary.files}\n`);
  for (const [name, { seconds, peakMib }] of Object.entries({ 'baseline create': create, scan })) {
    process.stdout.write(`${name}: ${seconds.toFixed(1)} s, peak ${peakMib.toFixed(0)} MiB\n`);
  }
  const peak = Math.max(create.peakMib, scan.peakMib);
  if (summary.files === files && peak < LIMIT_MIB) return 0;
  process.stdout.write(`expected ${files} files, and a peak below ${LIMIT_MIB} MiB\n`);
  return 1;
}

/** 100 files a directory, ten directories a directory, as far as the files go. */
function makeTree(root: string, files: number): void {
  for (let first = 0; first < files; first += FILES_PER_DIRECTORY) {
    const number = String(first / FILES_PER_DIRECTORY).padStart(4, '0');
    const directory = join(root, ...number);
    mkdirSync(directory, { recursive: true });
    const end = Math.min(files, first + FILES_PER_DIRECTORY);
    for (let file = first; file < end; file++) writeFileSync(join(directory, `f${file}`), `content of ${file}\n`);
  }
}

interface Measured {
  readonly seconds: number;
  readonly peakMib: number;
}

/** Runs the program to its end; throws when it fails. */
async function run(args: readonly string[]): Promise<Measured> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  let peakMib = 0;
  const timer = setInterval(() => {
    peakMib = peakMibOf(child.pid ?? 0) ?? peakMib;
  }, POLL_MS);
  const code = await new Promise(resolve => child.on('close', resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`lostwrite ${args.join(' ')} ended with ${code}`);
  return { seconds: (performance.now() - startedMs) / 1000, peakMib };
}

/** Linux keeps the largest resident size that a process ever had (proc(5), VmHWM); null once it has ended. */
function peakMibOf(pid: number): number | null {
  try {
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return peak === null ? null : Number(peak[1]) / 1024;
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ESRCH') return null;
    throw error;
  }
}
