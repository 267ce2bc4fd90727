// Makes names and messages safe and unambiguous on a terminal. Every escape is one that bash reads back within $'...':
// what a person copies from the screen names the same bytes.

import type { BytePath } from '../model.ts';

/** One well-formed UTF-8 sequence (Unicode Standard, table 3-7), or any single byte. */
const SEQUENCE =
  /[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|[\x80-\xff]/g;

/** A host string where bytes belong: still nothing of it may steer the terminal. */
const NO_BYTE = /[^\x00-\xff]/;

const PLAIN = /^[\x20-\x5b\x5d-\x7e]*$/;

/**
 * What must not reach a terminal: controls (C0, DEL, C1), format characters (bidirectional overrides, zero-width ones, tags),
 * line and paragraph separators, unassigned and private code points, lone surrogates. And the backslash, which starts an escape.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cn}\p{Co}\p{Cs}\\]/u;
const UNSAFE_ALL = new RegExp(UNSAFE.source, 'gu');

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' };

/** A path for the terminal: `\n`, `\x1b`, `\xe2\x80\xae`, `\xff` for bytes that are not UTF-8, `\\` for a backslash. */
export function printablePath(path: BytePath): string {
  if (PLAIN.test(path)) return path;
  if (NO_BYTE.test(path)) return printableText(path);
  return path.replace(SEQUENCE, printableSequence);
}

function printableSequence(sequence: string): string {
  if (sequence.length === 1) return sequence >= '\x80' ? escapeBytes(sequence) : printableText(sequence);
  const character = Buffer.from(sequence, 'latin1').toString('utf8');
  return UNSAFE.test(character) ? escapeBytes(sequence) : character;
}

/** A message or a name given as text, escaped the same way. */
export function printableText(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(
    UNSAFE_ALL,
    character => SHORT[character] ?? escapeBytes(Buffer.from(character, 'utf8').toString('latin1')),
  );
}

function escapeBytes(bytes: string): string {
  return Array.from(bytes, byte => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`).join('');
}

/** Text as one word of a bash command line, as it stands where it can. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `$'${printableText(text).replaceAll("'", "\\'")}'`;
}

const ESCAPE = /\\(?:x([0-9a-f]{2})|([nrt\\]))/g;
const UNESCAPED: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '\\': '\\' };

/** The path that printablePath wrote so, typed by a person: `\xff` is a byte; a backslash that starts no escape stays one. */
export function parsePrintablePath(text: string): BytePath {
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  return bytes.replace(ESCAPE, (_, hex: string | undefined, letter: string | undefined) =>
    hex === undefined ? (UNESCAPED[letter ?? ''] ?? '') : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
