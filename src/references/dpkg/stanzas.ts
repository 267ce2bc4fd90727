// The deb822 stanzas of `status` and `updates/*`: fields of a package, a blank line between packages (deb822(5)). Reads on
// after whatever is broken; what the fields mean is not its business.

import { excerpt, type Line, linesOf, type Report } from './lines.ts';

export interface Stanza {
  /** Of its first field, from 1. */
  readonly line: number;
  /** By lower-case name; continuation lines follow a newline each, as they stand. */
  readonly fields: ReadonlyMap<string, string>;
}

const FIELD = /^([!-,.-9;-~][!-9;-~]*)[ \t]*:[ \t]*(.*)$/s;
/** The field that opens every stanza that dpkg writes. */
const FIRST_FIELD = 'package';

/** @param wanted lower-case names of the fields to keep; the others are only checked. */
export function* parseStanzas(bytes: Buffer, wanted: ReadonlySet<string>, report: Report): Iterable<Stanza> {
  const reader = new StanzaReader(wanted, report);
  for (const line of linesOf(bytes)) {
    const finished = reader.take(line);
    if (finished !== null) yield finished;
  }
  const last = reader.finish();
  if (last !== null) yield last;
}

class StanzaReader {
  readonly #wanted: ReadonlySet<string>;
  readonly #report: Report;
  #fields = new Map<string, string>();
  #line = 0;
  /** Null: a line of no known field; its continuation lines go with it. */
  #field: string | null = null;

  constructor(wanted: ReadonlySet<string>, report: Report) {
    this.#wanted = wanted;
    this.#report = report;
  }

  /** Returns the stanza that this line ends, if any. */
  take(line: Line): Stanza | null {
    if (line.text === '') return this.finish();
    if (!line.ended) this.#report(line.number, `has no newline, and may have been cut: ${excerpt(line.text)}`);
    if (line.text.includes('\0')) return this.#drop(line, 'holds NUL bytes');
    if (/^[ \t]/.test(line.text)) return this.#continue(line);
    const [, name, value] = FIELD.exec(line.text) ?? [];
    if (name === undefined || value === undefined) return this.#drop(line, `is no field: ${excerpt(line.text)}`);
    return this.#start(line, name.toLowerCase(), value);
  }

  finish(): Stanza | null {
    const stanza = this.#fields.size === 0 ? null : { line: this.#line, fields: this.#fields };
    this.#fields = new Map();
    this.#field = null;
    return stanza;
  }

  #start(line: Line, name: string, value: string): Stanza | null {
    const repeated = this.#fields.has(name);
    if (repeated)
      this.#report(line.number, `repeats the field ${name} of the stanza that starts at line ${this.#line}`);
    const finished = repeated && name === FIRST_FIELD ? this.finish() : null;
    if (this.#fields.size === 0) this.#line = line.number;
    this.#field = name;
    this.#fields.set(name, this.#wanted.has(name) ? value : '');
    return finished;
  }

  #continue(line: Line): null {
    if (this.#field === null || !this.#wanted.has(this.#field)) return null;
    this.#fields.set(this.#field, `${this.#fields.get(this.#field)}\n${line.text}`);
    return null;
  }

  #drop(line: Line, fault: string): null {
    this.#report(line.number, fault);
    this.#field = null;
    return null;
  }
}
