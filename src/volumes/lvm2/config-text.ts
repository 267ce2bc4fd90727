// LVM2's text format: sections in braces, `name = value`, values of text, numbers and lists of them. Knows the grammar, and no
// name in it.

import { DamageError } from '../../errors.ts';

export type ConfigScalar = string | bigint;
export interface ConfigSection extends ReadonlyMap<string, ConfigValue> {}
export type ConfigValue = ConfigScalar | readonly ConfigScalar[] | ConfigSection;

/** Volume groups nest four deep: group, volumes, volume, segment. */
const DEEPEST = 16;

/** White space, or a comment: taken one by one, for a pattern that repeats a choice runs out of stack on millions of them. */
const SPACE = /[\s\0]+|#[^\n]*/y;
const TOKEN = /("[^"\\]*(?:\\.[^"\\]*)*")|([A-Za-z0-9_+.-]+)|([{}=,[\]])|$/sy;

type Token = { readonly kind: 'text' | 'word' | 'mark' | 'end'; readonly value: string };

/** One character a byte. DamageError, naming `structure`, for what does not follow the grammar. */
export function parseConfig(text: string, structure: string): ConfigSection {
  const parser = new ConfigParser(text, structure);
  return parser.section(0);
}

class ConfigParser {
  readonly #text: string;
  readonly #structure: string;
  #at = 0;
  #token: Token;

  constructor(text: string, structure: string) {
    this.#text = text;
    this.#structure = structure;
    this.#token = this.#read();
  }

  /** Up to the brace that closes it; the outermost ends with the text. */
  section(depth: number): ConfigSection {
    if (depth > DEEPEST) throw this.#unexpected(`at most ${DEEPEST} sections within one another`);
    const fields = new Map<string, ConfigValue>();
    while (!this.#ends(depth)) {
      const name = this.#take('word', 'a name');
      if (fields.has(name)) throw this.#unexpected(`"${name}" once`);
      fields.set(name, this.#isMark('{') ? this.#nested(depth) : this.#assigned());
    }
    return fields;
  }

  #ends(depth: number): boolean {
    return depth === 0 ? this.#token.kind === 'end' : this.#isMark('}');
  }

  #nested(depth: number): ConfigSection {
    this.#mark('{');
    const section = this.section(depth + 1);
    this.#mark('}');
    return section;
  }

  #assigned(): ConfigValue {
    this.#mark('=');
    if (!this.#isMark('[')) return this.#scalar();
    this.#mark('[');
    const values: ConfigScalar[] = [];
    while (!this.#isMark(']')) {
      values.push(this.#scalar());
      if (!this.#isMark(']')) this.#mark(',');
    }
    this.#mark(']');
    return values;
  }

  #scalar(): ConfigScalar {
    if (this.#token.kind === 'text') return this.#take('text', 'a value');
    const word = this.#take('word', 'a value');
    return /^-?\d{1,19}$/.test(word) ? BigInt(word) : word;
  }

  #isMark(mark: string): boolean {
    return this.#token.kind === 'mark' && this.#token.value === mark;
  }

  #mark(mark: string): void {
    if (!this.#isMark(mark)) throw this.#unexpected(`"${mark}"`);
    this.#token = this.#read();
  }

  #take(kind: Token['kind'], expected: string): string {
    if (this.#token.kind !== kind) throw this.#unexpected(expected);
    const { value } = this.#token;
    this.#token = this.#read();
    return value;
  }

  #read(): Token {
    SPACE.lastIndex = this.#at;
    while (SPACE.test(this.#text)) this.#at = SPACE.lastIndex;
    TOKEN.lastIndex = this.#at;
    const found = TOKEN.exec(this.#text);
    if (found === null) throw new DamageError(this.#structure, this.#at, 'bytes of no meaning', 'a name or a value');
    this.#at = TOKEN.lastIndex;
    const [, quoted, word, mark] = found;
    if (quoted !== undefined) return { kind: 'text', value: quoted.slice(1, -1).replace(/\\(.)/gs, '$1') };
    if (word !== undefined) return { kind: 'word', value: word };
    return mark === undefined ? { kind: 'end', value: '' } : { kind: 'mark', value: mark };
  }

  #unexpected(expected: string): DamageError {
    const found = this.#token.kind === 'end' ? 'the end' : `"${this.#token.value.slice(0, 40)}"`;
    return new DamageError(this.#structure, this.#at, found, expected);
  }
}
