// Text to the standard streams: colours only for a terminal that wants them, silence when the reader has gone.

import { styleText } from 'node:util';
import { errorCode, UsageError } from '../errors.ts';
import { NO_COLOURS, type Palette } from '../report/palette.ts';
import { failureWords } from './trouble.ts';
import type { Output, World } from './world.ts';

const READER_GONE = new Set(['EPIPE', 'ERR_STREAM_DESTROYED']);

/** False when nobody reads any more (`| head`). UsageError when the text cannot be written: a full disk behind `>`. */
function writeText(output: Output, text: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    output.write(text, error => {
      if (!error) resolve(true);
      else if (READER_GONE.has(errorCode(error) ?? '')) resolve(false);
      else reject(new UsageError(`cannot write the output: ${failureWords(error)}`));
    });
  });
}

export function writeLines(output: Output, lines: readonly string[]): Promise<boolean> {
  return lines.length === 0 ? Promise.resolve(true) : writeText(output, `${lines.join('\n')}\n`);
}

/** Writes a stream of chunks; stops drawing them when nobody reads any more. */
export async function writeChunks(output: Output, chunks: Iterable<string>): Promise<void> {
  for (const chunk of chunks) {
    if (!(await writeText(output, chunk))) return;
  }
}

export function isTerminal(output: Output, env: World['env']): boolean {
  return output.isTTY === true && env.TERM !== 'dumb';
}

const DEFAULT_COLUMNS = 80;

/** A terminal that does not know its width says 0: a serial console, `docker exec -t`, `script` in a job. */
export function columnsOf(output: Output): number {
  return output.columns || DEFAULT_COLUMNS;
}

const style =
  (...formats: Parameters<typeof styleText>[0] & unknown[]) =>
  (text: string): string =>
    styleText(formats, text, { validateStream: false });

const COLOURS: Palette = {
  bad: style('red'),
  warn: style('yellow'),
  good: style('green'),
  strong: style('bold'),
  faint: style('dim'),
};

/** https://no-color.org: any value that is not empty refuses colours. */
export function paletteFor(output: Output, env: World['env']): Palette {
  return isTerminal(output, env) && !env.NO_COLOR ? COLOURS : NO_COLOURS;
}
