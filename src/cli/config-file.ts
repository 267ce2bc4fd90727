// lostwrite.config.json or .yaml: the options of `scan` and `sweep`, by their names. Unknown names are refused, paths in it count from
// the file's own directory.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { UsageError } from '../errors.ts';
import { isOptionName, OPTIONS, type OptionName, rowOf } from './option-table.ts';
import { failureWords } from './trouble.ts';

export interface ConfigFile {
  readonly file: string;
  /** As the command line would have given them: text, `true` or `false` for flags. */
  readonly values: ReadonlyMap<OptionName, readonly string[]>;
}

const NAMES = ['lostwrite.config.json', 'lostwrite.config.yaml'] as const;

const scalar = z.union([z.string(), z.number().transform(String)]);
const VALUE = {
  text: scalar.transform(value => [value]),
  list: z.union([scalar.transform(value => [value]), z.array(scalar)]),
  flag: z.boolean().transform(value => [String(value)]),
};
const EXPECTED = { text: 'one text or number', list: 'a text or a list of them', flag: 'true or false' };

/** The file that `--config` names, else the one in `directory`, else null. UsageError for one that cannot be used. */
export function loadConfigFile(directory: string, named: string | null): ConfigFile | null {
  const file = named === null ? findConfig(directory) : resolve(directory, named);
  return file === null ? null : { file, values: readValues(file, parseConfig(file)) };
}

function findConfig(directory: string): string | null {
  const found = NAMES.map(name => join(directory, name)).filter(file => existsSync(file));
  if (found.length > 1)
    throw new UsageError(`there are both ${NAMES.join(' and ')}: keep one, or name one by --config`);
  return found[0] ?? null;
}

function parseConfig(file: string): unknown {
  const text = readText(file);
  switch (extname(file)) {
    case '.json':
      return parseJson(file, text);
    case '.yaml':
    case '.yml':
      return parseYaml(file, text);
    default:
      throw new UsageError(`${file}: a configuration file ends in .json or .yaml`);
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read the configuration ${file}: ${failureWords(error)}`);
  }
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError(`${file}: no valid JSON: ${error.message}`);
  }
}

function parseYaml(file: string, text: string): unknown {
  const document = parseDocument(text, { prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const line = text.slice(0, error.pos[0]).split('\n').length;
    throw new UsageError(`${file}:${line}: no valid YAML: ${error.message}`);
  }
  return document.toJS();
}

function readValues(file: string, content: unknown): Map<OptionName, readonly string[]> {
  if (typeof content !== 'object' || Array.isArray(content)) throw new UsageError(`${file}: expected options by name`);
  const values = new Map<OptionName, readonly string[]>();
  for (const [key, value] of Object.entries(content ?? {})) {
    const name = optionName(file, key);
    if (values.has(name)) throw new UsageError(`${file}: "${name}" stands there twice`);
    values.set(name, readValue(file, name, value));
  }
  return values;
}

/** `cross-mounts`; `crossMounts` is read as well. */
function optionName(file: string, key: string): OptionName {
  const name = key.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
  if (isOptionName(name)) return name;
  const known = Object.keys(OPTIONS).join(', ');
  throw new UsageError(`${file}: unknown option "${key}"; there are ${known}`);
}

function readValue(file: string, name: OptionName, value: unknown): readonly string[] {
  const { kind, path } = rowOf(name);
  const read = VALUE[kind].safeParse(value);
  if (!read.success) throw new UsageError(`${file}: "${name}" must be ${EXPECTED[kind]}`);
  return path === undefined ? read.data : read.data.map(text => fromDirectory(dirname(file), text, path));
}

function fromDirectory(directory: string, text: string, path: 'file' | 'reference'): string {
  if (path === 'file') return text === '-' ? text : resolve(directory, text);
  const colon = text.indexOf(':');
  return colon === -1 ? text : text.slice(0, colon + 1) + resolve(directory, text.slice(colon + 1));
}
