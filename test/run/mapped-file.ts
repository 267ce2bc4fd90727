// A process of its own that holds a shared mapping of a file and stores into it when told.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../fixtures/incident/processes.ts';

const STORE = `
import mmap, os, sys
orders, answers = open(sys.argv[2]), open(sys.argv[3], 'w')
file = os.open(sys.argv[1], os.O_RDWR)
memory = mmap.mmap(file, 0, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
for order in orders:
    at, text = order.split()
    memory[int(at):int(at) + len(text)] = text.encode()
    answers.write('done\\n')
    answers.flush()
`;

export class MappedFile {
  readonly #child: ChildProcess;
  readonly #orders: number;
  readonly #answers: number;

  /** @param scratch a directory for the pipes, not on the file system under test. */
  constructor(path: string, scratch: string) {
    const pipes = ['orders', 'answers'].map(name => join(scratch, `${name}-${path.replaceAll('/', '-')}`));
    const [orders = '', answers = ''] = pipes;
    run('mkfifo', pipes);
    this.#child = spawn('python3', ['-c', STORE, path, orders, answers], { stdio: 'inherit' });
    this.#orders = openSync(orders, 'w');
    this.#answers = openSync(answers, 'r');
  }

  /** Stores and returns when it is in memory; nothing is synchronised. */
  store(at: number, text: string): void {
    writeSync(this.#orders, `${at} ${text}\n`);
    readSync(this.#answers, Buffer.alloc(16));
  }

  close(): Promise<void> {
    closeSync(this.#orders);
    closeSync(this.#answers);
    return new Promise(resolve => this.#child.on('exit', () => resolve()));
  }
}
