// Runs the program as it ships against real trees, in places of its own that vanish with the test file.

import { type ChildProcess, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BINARY, environment } from '../cli/built-binary.ts';
import { schemaErrors } from '../report/report-validator.ts';

export const IS_ROOT = process.getuid?.() === 0;
const LARGEST_OUTPUT_BYTES = 256 * 1024 * 1024;

/** What a report holds, as far as these tests look at it. */
export interface ReadReport {
  readonly run: { readonly complete: boolean };
  readonly target: {
    readonly container: string | null;
    readonly volumes: readonly { readonly filesystem: string; readonly gates: readonly string[] }[];
  };
  readonly summary: {
    readonly files: number;
    readonly directories: number;
    readonly bytesRead: number;
    readonly hasFindings: boolean;
  };
  readonly coverage: { readonly skipped: readonly { readonly path: string; readonly reason: string }[] };
  readonly findings: readonly ReadFinding[];
  readonly blocks: readonly { readonly role: string; readonly rule: string; readonly confidence: string }[];
  readonly errors: readonly { readonly path: string; readonly code: string; readonly message: string }[];
}

export interface ReadFinding {
  readonly id: string;
  readonly volume: number;
  readonly path: string;
  readonly pathBase64?: string;
  readonly verdict: string;
  readonly confidence: string;
  /** The id of the finding that explains it. */
  readonly cause: string | null;
  readonly ranges: readonly ReadRange[];
  readonly evidence: readonly { readonly rule: string; readonly detail: string }[];
}

interface ReadRange {
  readonly offset: number;
  readonly length: number;
  readonly state: string;
  readonly physical: number | null;
}

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A directory for one test file: targets, stores and reports lie in it. */
export class Place {
  readonly path = mkdtempSync(join(tmpdir(), 'lwr-e2e-'));
  readonly store = join(this.path, 'store.db');

  at(...names: string[]): string {
    return join(this.path, ...names);
  }

  /** Runs `lostwrite ARGS…` to its end. `prefix` is a command that runs it (`setpriv …`). */
  run(args: readonly string[], prefix: readonly string[] = []): SpawnSyncReturns<string> {
    const [program = '', ...rest] = [...prefix, process.execPath, BINARY, ...args];
    const env = environment(this.path);
    return spawnSync(program, rest, { cwd: this.path, encoding: 'utf8', env, maxBuffer: LARGEST_OUTPUT_BYTES });
  }

  /** Starts it. */
  start(args: readonly string[], prefix: readonly string[] = []): Started {
    const [program = '', ...rest] = [...prefix, process.execPath, BINARY, ...args];
    return new Started(spawn(program, rest, { cwd: this.path, env: environment(this.path) }));
  }

  /** Store and target share a disk here: hence --force. */
  scanArgs(target: string, more: readonly string[] = []): string[] {
    return ['scan', target, '--store', this.store, '--force', '--json', '-', '--quiet', ...more];
  }

  scan(target: string, more: readonly string[] = [], prefix: readonly string[] = []): Scanned {
    const ended = this.run(this.scanArgs(target, more), prefix);
    return { ...ended, report: parseReport(ended.stdout, ended.stderr) };
  }

  baseline(target: string, name: string, more: readonly string[] = [], prefix: readonly string[] = []): Ended {
    return this.run(
      ['baseline', 'create', target, '--name', name, '--store', this.store, '--force', '--quiet', ...more],
      prefix,
    );
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export type Scanned = Ended & { readonly report: ReadReport };

/** A report that is whole and valid; throws with what the program said otherwise. */
export function parseReport(text: string, stderr: string): ReadReport {
  if (text === '') throw new Error(`no report: ${stderr}`);
  const report = JSON.parse(text);
  const errors = schemaErrors(report);
  if (errors.length > 0) throw new Error(`invalid report: ${JSON.stringify(errors.slice(0, 3))}`);
  return report;
}

export function readReport(file: string): ReadReport {
  return parseReport(readFileSync(file, 'utf8'), file);
}

/** The bytes of the findings array, as it stands in the report. */
export function findingsText(report: string): string {
  return JSON.stringify(JSON.parse(report).findings);
}

/** True bytes of a path that a report names. */
export function pathBytes(named: { readonly path: string; readonly pathBase64?: string }): Buffer {
  return named.pathBase64 === undefined ? Buffer.from(named.path, 'utf8') : Buffer.from(named.pathBase64, 'base64');
}

export class Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.on('data', chunk => {
      this.stdout += chunk;
    });
    child.stderr?.on('data', chunk => {
      this.stderr += chunk;
    });
    this.ended = new Promise(resolve => {
      child.on('close', (status, signal) => resolve({ status, signal, stdout: this.stdout, stderr: this.stderr }));
    });
  }
}

const NOBODY = ['setpriv', '--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups'];

/** The prefix that runs a program as nobody, or null when this machine cannot, with the reason on standard error. */
export function asNobody(): readonly string[] | null {
  if (!IS_ROOT) return skipping('needs root, to run the program as nobody');
  const [program = '', ...rest] = [...NOBODY, process.execPath, BINARY, '--version'];
  const tried = spawnSync(program, rest, { encoding: 'utf8', cwd: tmpdir() });
  return tried.status === 0 ? NOBODY : skipping(`nobody cannot run the program: ${tried.stderr}`);
}

/** Says why tests are skipped. */
export function skipping(reason: string): null {
  process.stderr.write(`skipped: ${reason}\n`);
  return null;
}

/** Whether a command ends well. */
export function succeeds(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}
