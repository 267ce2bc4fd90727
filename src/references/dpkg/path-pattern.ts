// The glob patterns of dpkg's path-exclude and path-include: those of fnmatch(3) without flags, as glob(7) has them, so that
// "*" and "?" match "/" and leading dots too. Bytes, "C" locale.

import type { BytePath } from '../../model.ts';

type Token = { readonly kind: 'star' | 'any' } | { readonly kind: 'set'; readonly members: ReadonlySet<number> };

const ANY_BYTE = 256;

const CLASSES: Readonly<Record<string, RegExp>> = {
  alnum: /[0-9A-Za-z]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  cntrl: /[\x00-\x1f\x7f]/,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t-\r]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

export class PathPattern {
  readonly #tokens: readonly Token[];

  constructor(pattern: BytePath) {
    this.#tokens = [...tokensOf(pattern)];
  }

  /** Going back to the last star only, which is enough: time is at worst pattern times path. */
  matches(path: BytePath): boolean {
    let token = 0;
    let at = 0;
    let star = -1;
    let starAt = 0;
    while (at < path.length) {
      if (this.#tokens[token]?.kind === 'star') {
        star = token++;
        starAt = at;
      } else if (this.#matchesOne(token, path.charCodeAt(at))) {
        token++;
        at++;
      } else if (star >= 0) {
        token = star + 1;
        at = ++starAt;
      } else {
        return false;
      }
    }
    while (this.#tokens[token]?.kind === 'star') token++;
    return token === this.#tokens.length;
  }

  #matchesOne(index: number, byte: number): boolean {
    const token = this.#tokens[index];
    if (token === undefined) return false;
    return token.kind === 'any' || (token.kind === 'set' && token.members.has(byte));
  }
}

function* tokensOf(pattern: BytePath): Iterable<Token> {
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern.charAt(at);
    const bracket = character === '[' ? bracketAt(pattern, at) : null;
    if (character === '*') yield { kind: 'star' };
    else if (character === '?') yield { kind: 'any' };
    else if (bracket !== null) {
      yield { kind: 'set', members: bracket.members };
      at = bracket.last;
    } else {
      if (character === '\\' && at + 1 < pattern.length) at++;
      yield { kind: 'set', members: new Set([pattern.charCodeAt(at)]) };
    }
  }
}

/** The bracket expression that opens at `open`; null when it never closes (then "[" is an ordinary character). */
function bracketAt(pattern: BytePath, open: number): { members: ReadonlySet<number>; last: number } | null {
  let at = open + 1;
  const negated = pattern[at] === '!' || pattern[at] === '^';
  if (negated) at++;
  const first = at;
  const members = new Set<number>();
  while (at < pattern.length && (pattern[at] !== ']' || at === first)) at = addMembers(pattern, at, members);
  if (at >= pattern.length) return null;
  return { members: negated ? complementOf(members) : members, last: at };
}

/** Adds a class, a range or a character, and returns where the next one starts. */
function addMembers(pattern: BytePath, at: number, members: Set<number>): number {
  const named = /^\[:([a-z]+):\]/.exec(pattern.slice(at, at + 12));
  const test = CLASSES[named?.[1] ?? ''];
  if (named !== null && test !== undefined) {
    for (let byte = 0; byte < ANY_BYTE; byte++) if (test.test(String.fromCharCode(byte))) members.add(byte);
    return at + named[0].length;
  }
  const from = escapedAt(pattern, at);
  const isRange = pattern[from.next] === '-' && from.next + 1 < pattern.length && pattern[from.next + 1] !== ']';
  const to = isRange ? escapedAt(pattern, from.next + 1) : from;
  for (let byte = from.byte; byte <= to.byte; byte++) members.add(byte);
  return to.next;
}

function escapedAt(pattern: BytePath, at: number): { byte: number; next: number } {
  const byteAt = pattern[at] === '\\' && at + 1 < pattern.length ? at + 1 : at;
  return { byte: pattern.charCodeAt(byteAt), next: byteAt + 1 };
}

function complementOf(members: ReadonlySet<number>): Set<number> {
  const others = new Set<number>();
  for (let byte = 0; byte < ANY_BYTE; byte++) if (!members.has(byte)) others.add(byte);
  return others;
}
