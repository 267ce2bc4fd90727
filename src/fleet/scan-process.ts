// The parent's side of a process that scans targets: hands it one at a time, and kills it when a target takes too long.

import { type ChildProcess, fork } from 'node:child_process';
import { countOf, figure } from '../figures.ts';
import type { Progress } from '../run/options.ts';
import type { FromProcess, ToProcess } from './messages.ts';
import type { TargetAnswer, TargetTask } from './scan-target.ts';
import { spanText } from './time-limit.ts';

export interface Watch {
  readonly timeLimitMs: number;
  readonly onNotice: (line: string) => void;
  readonly signal: AbortSignal;
}

/** How long a killed process is waited for: one that hangs in the kernel cannot be, and is left behind. */
const DYING_MS = 5_000;

export class ScanProcess {
  #child: ChildProcess | null = null;

  /** Scans one target; never rejects. Another may follow once it has settled. */
  async run(task: TargetTask, watch: Watch): Promise<TargetAnswer> {
    const child = this.#child ?? this.#start();
    const heard = new Hearing(child, watch);
    try {
      if (watch.signal.aborted) return { kind: 'interrupted' };
      say(child, { kind: 'task', task });
      const answer = await heard.answer;
      if (answer !== 'late') return answer;
      return { kind: 'failed', reason: `${lateWords(watch.timeLimitMs)} ${heard.whereabouts}` };
    } finally {
      heard.stop();
      if (heard.isDead) await this.#kill(child);
    }
  }

  async close(): Promise<void> {
    if (this.#child !== null) await this.#kill(this.#child);
  }

  #start(): ChildProcess {
    const child = fork(processFile(), {
      serialization: 'advanced',
      stdio: ['pipe', 'ignore', 'inherit', 'ipc'],
      execArgv: [],
    });
    this.#child = child;
    return child;
  }

  async #kill(child: ChildProcess): Promise<void> {
    if (this.#child === child) this.#child = null;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>(resolve => child.once('exit', () => resolve()));
    child.kill('SIGKILL');
    const timer = setTimeout(() => leave(child), DYING_MS);
    await Promise.race([gone, new Promise<void>(resolve => child.once('left', resolve))]);
    clearTimeout(timer);
  }
}

/** Nothing of it keeps this process from ending. */
function leave(child: ChildProcess): void {
  if (child.connected) child.disconnect();
  child.stdin?.destroy();
  child.unref();
  child.emit('left');
}

function say(child: ChildProcess, message: ToProcess): void {
  // A process that has died meanwhile says so by its exit.
  if (child.connected) child.send(message, () => undefined);
}

/** Listens to a process while it scans one target. */
class Hearing {
  readonly answer: Promise<TargetAnswer | 'late'>;
  /** It was killed, has ended, or has to be: it takes no other target. */
  isDead = false;
  #progress: Progress | null = null;
  readonly #stops: (() => unknown)[] = [];

  constructor(child: ChildProcess, { timeLimitMs, onNotice, signal }: Watch) {
    this.answer = new Promise(resolve => {
      const end = (answer: TargetAnswer | 'late', isDead: boolean): void => {
        this.isDead ||= isDead;
        resolve(answer);
      };
      const onMessage = (message: FromProcess): void => {
        if (message.kind === 'answer') end(message.answer, false);
        else if (message.kind === 'notice') onNotice(message.line);
        else this.#progress = message.progress;
      };
      const onExit = (code: number | null, by: string | null): void =>
        end({ kind: 'failed', reason: endWords(code, by) }, true);
      const onError = (error: Error): void => end({ kind: 'failed', reason: error.message }, true);
      child.on('message', onMessage).on('exit', onExit).on('error', onError);
      this.#stops.push(() => child.off('message', onMessage).off('exit', onExit).off('error', onError));
      const timer = setTimeout(() => end('late', true), timeLimitMs);
      this.#stops.push(() => clearTimeout(timer));
    });
    const cancel = (): void => say(child, { kind: 'cancel' });
    signal.addEventListener('abort', cancel);
    this.#stops.push(() => signal.removeEventListener('abort', cancel));
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  /** Where it was when it was last heard of. */
  get whereabouts(): string {
    if (this.#progress === null) return '(it had not begun to list)';
    const { phase, entries, filesDone, filesTotal } = this.#progress;
    if (phase === 'listing') return `(${countOf(entries, 'entry', 'entries')} listed)`;
    return `(${phase}, ${figure(filesDone)} of ${countOf(filesTotal, 'file')} read)`;
  }
}

function lateWords(timeLimitMs: number): string {
  return `it was not done within its time limit of ${spanText(timeLimitMs)}, and was killed`;
}

function endWords(code: number | null, signal: string | null): string {
  const how = signal === null ? `with code ${code}` : `by ${signal}`;
  return `the process that scanned it ended ${how}${code === 134 || signal === 'SIGABRT' ? ' (out of memory?)' : ''}`;
}

/** Processes run compiled code, also where this file itself runs from its source (in tests). */
function processFile(): URL {
  const compiled = import.meta.url.endsWith('.js');
  return new URL(compiled ? './target-process.js' : '../../dist/src/fleet/target-process.js', import.meta.url);
}
