// The text that describes a VMDK: which files make the disk, in which order, and what its parent is.

import { UnsupportedError } from '../../errors.ts';
import { latin1 } from '../../struct/struct.ts';
import type { ByteSource } from '../byte-source.ts';
import { damage } from '../damage.ts';
import { SECTOR_BYTES } from './layout.ts';

export interface ExtentLine {
  readonly sizeBytes: number;
  readonly kind: 'sparse' | 'flat' | 'zero';
  readonly file: string | null;
  /** Where a flat extent begins in its file. */
  readonly offset: number;
}

export interface Descriptor {
  readonly createType: string;
  /** Changes with every session that wrote: what a child remembers of its parent. */
  readonly contentId: string;
  readonly parent: { readonly contentId: string; readonly name: string } | null;
  readonly extents: readonly ExtentLine[];
}

const NO_PARENT = 'ffffffff';
/** Extents of 2 GiB then make 8 TiB; each is an open file. */
const MAX_EXTENTS = 4096;
const EXTENT = /^(RW|RDONLY|NOACCESS)\s+(\d{1,15})\s+([A-Z0-9]+)(?:\s+"([^"]*)")?(?:\s+(\d{1,15}))?/;
const KINDS: Readonly<Record<string, ExtentLine['kind']>> = {
  SPARSE: 'sparse',
  FLAT: 'flat',
  VMFS: 'flat',
  ZERO: 'zero',
};

/** `at` is where the text begins in `file`. Throws UnsupportedError, DamageError. */
export function parseDescriptor(file: ByteSource, bytes: Uint8Array, at: number): Descriptor {
  const text = latin1(bytes, 0, bytes.length).replace(/\0.*$/s, '');
  const values = valuesOf(text);
  const contentId = values.get('cid') ?? '';
  if (!/^[0-9a-f]{1,8}$/.test(contentId)) throw damage(file, 'VMDK descriptor', at, `CID "${contentId}"`, 'a number');
  return {
    createType: values.get('createtype') ?? '',
    contentId,
    parent: parentOf(file, values, at),
    extents: extentsOf(file, text, at),
  };
}

/** `name = value` lines, names in lower case, the first of each. */
function valuesOf(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const [, name = '', value = ''] = /^\s*([A-Za-z.]+)\s*=\s*"?([^"]*)"?\s*$/.exec(line) ?? [];
    const key = name.toLowerCase();
    if (key !== '' && !values.has(key))
      values.set(key, key === 'cid' || key === 'parentcid' ? value.toLowerCase() : value);
  }
  return values;
}

function parentOf(file: ByteSource, values: ReadonlyMap<string, string>, at: number): Descriptor['parent'] {
  const contentId = values.get('parentcid') ?? NO_PARENT;
  if (contentId === NO_PARENT) return null;
  const name = values.get('parentfilenamehint');
  if (name !== undefined) return { contentId, name: fromUtf8(name) };
  throw damage(file, 'VMDK descriptor', at, 'a parent without a name', 'parentFileNameHint');
}

function extentsOf(file: ByteSource, text: string, at: number): ExtentLine[] {
  const lines = text.split(/\r?\n/).flatMap(line => {
    const found = EXTENT.exec(line.trim());
    return found === null ? [] : [extentOf(file, found)];
  });
  if (lines.length > MAX_EXTENTS)
    throw damage(file, 'VMDK descriptor', at, `${lines.length} extents`, `at most ${MAX_EXTENTS}`);
  return lines;
}

function extentOf(file: ByteSource, [, access, sectors, type = '', name, offset]: readonly string[]): ExtentLine {
  const kind = KINDS[type];
  if (kind === undefined) throw new UnsupportedError(`${file.name}: VMDK extents of type ${type} are not supported`);
  if (access === 'NOACCESS') throw new UnsupportedError(`${file.name}: a VMDK extent is marked as NOACCESS`);
  return {
    sizeBytes: Number(sectors) * SECTOR_BYTES,
    kind,
    file: name === undefined ? null : fromUtf8(name),
    offset: Number(offset ?? 0) * SECTOR_BYTES,
  };
}

function fromUtf8(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}
