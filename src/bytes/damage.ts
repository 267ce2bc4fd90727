// Damage in a container's file, said in one way: which file, which structure or field, at which offset of the file.

import { DamageError } from '../errors.ts';
import type { Fields, Struct } from '../struct/struct.ts';
import type { ByteSource } from './byte-source.ts';

/** Damage in the image file itself: `at` is an offset in it. */
export function damage(
  file: Pick<ByteSource, 'name'>,
  what: string,
  at: number,
  found: number | bigint | string,
  expected: string,
): DamageError {
  return new DamageError(`${file.name}: ${what}`, at, found, expected);
}

/** Throws DamageError at the field (of the structure at `base`) unless least <= value <= most. */
export function checkField<F extends Fields>(
  file: Pick<ByteSource, 'name'>,
  struct: Struct<F>,
  field: keyof F & string,
  value: number,
  [least, most]: readonly [number, number],
  base = 0,
): void {
  if (value >= least && value <= most) return;
  throw damageIn(file, struct, field, value, least === most ? `${least}` : `${least} to ${most}`, base);
}

/** Damage in one field of the structure at `base`. */
export function damageIn<F extends Fields>(
  file: Pick<ByteSource, 'name'>,
  struct: Struct<F>,
  field: keyof F & string,
  found: number | bigint | string,
  expected: string,
  base = 0,
): DamageError {
  return damage(file, `${struct.name}.${field}`, base + (struct.fields[field]?.offset ?? 0), found, expected);
}
