// A thread that waits for the end of standard input, which the parent holds open as long as it lives, and then ends the
// process: nobody is left to take its answer, and another sweep may want its target.

import { read } from 'node:fs';

const STANDARD_INPUT = 0;
const byte = Buffer.alloc(1);

function wait(): void {
  read(STANDARD_INPUT, byte, 0, 1, null, (error, count) => {
    if (error === null && count > 0) wait();
    else process.kill(process.pid, 'SIGKILL');
  });
}

wait();
