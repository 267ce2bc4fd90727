// A package as the status file has it: its name, its state, and the configuration files whose digests only stand there.

import type { BytePath } from '../../model.ts';
import { excerpt, faultOfPath, type Report } from './lines.ts';
import { isArchitecture, isPackageName, isVersion } from './package-name.ts';
import { parseStanzas, type Stanza } from './stanzas.ts';

const STATES = [
  'not-installed',
  'config-files',
  'half-installed',
  'unpacked',
  'half-configured',
  'triggers-awaited',
  'triggers-pending',
  'installed',
] as const;
type PackageState = (typeof STATES)[number];

export interface Conffile {
  readonly path: BytePath;
  /** As the package brought it; null when the database holds no digest. */
  readonly md5: string | null;
  /** There is no telling whether it exists: one to be removed, or one that is not configured yet. */
  readonly unsettled: boolean;
  /** Left over from an older version; another package may have it by now. */
  readonly obsolete: boolean;
}

export interface Package {
  readonly name: string;
  readonly architecture: string | null;
  readonly version: string | null;
  readonly state: PackageState;
  /** Its unpacking failed: dpkg itself asks for a reinstallation. */
  readonly broken: boolean;
  /** It may be installed for several architectures at a time; its files in `info` carry the architecture. */
  readonly multiArchSame: boolean;
  readonly conffiles: readonly Conffile[];
  /** Names of packages whose files it may take over. */
  readonly replaces: ReadonlySet<string>;
}

const WANTED = new Set(['package', 'status', 'version', 'architecture', 'multi-arch', 'conffiles', 'replaces']);

/** By `name:architecture`; a later stanza of the same package takes the place of an earlier one. */
export function parseStatus(bytes: Buffer, report: Report): Map<string, Package> {
  const packages = new Map<string, Package>();
  for (const stanza of parseStanzas(bytes, WANTED, report)) {
    const parsed = packageOf(stanza, report);
    if (parsed !== null) packages.set(keyOf(parsed), parsed);
  }
  return packages;
}

export function keyOf(subject: Pick<Package, 'name' | 'architecture'>): string {
  return `${subject.name}:${subject.architecture ?? ''}`;
}

/** Its files are in place, whether or not it has been configured since. */
export function isUnpacked(subject: Package): boolean {
  return subject.state !== 'not-installed' && subject.state !== 'config-files' && subject.state !== 'half-installed';
}

function packageOf(stanza: Stanza, report: Report): Package | null {
  const { fields, line } = stanza;
  const name = fields.get('package') ?? '';
  const state = stateOf(fields.get('status') ?? '');
  const fault = faultOfStanza(fields, name, state);
  if (fault !== null) report(line, `starts a stanza ${fault}`);
  if (!isPackageName(name) || state === null) return null;
  return {
    name,
    architecture: checked(fields.get('architecture'), isArchitecture),
    version: checked(fields.get('version'), isVersion),
    state,
    broken: /^\S+\s+\S*reinstreq/.test(fields.get('status') ?? ''),
    multiArchSame: fields.get('multi-arch') === 'same',
    conffiles: parseConffiles(fields.get('conffiles') ?? '', fault => report(line, `starts a stanza ${fault}`)),
    replaces: parseReplaces(fields.get('replaces') ?? ''),
  };
}

function faultOfStanza(fields: Stanza['fields'], name: string, state: PackageState | null): string | null {
  if (!fields.has('package')) return 'that names no package';
  if (!isPackageName(name)) return `of an impossible package name: ${excerpt(name)}`;
  if (!fields.has('status')) return `of ${name} that lacks its Status`;
  if (state === null) return `of ${name} with an unknown Status: ${excerpt(fields.get('status') ?? '')}`;
  if (state === 'not-installed') return null;
  const version = fields.get('version');
  if (version === undefined) return `of ${name} that lacks its Version`;
  return isVersion(version) ? null : `of ${name} with an impossible Version: ${excerpt(version)}`;
}

function stateOf(status: string): PackageState | null {
  const word = status.trim().split(/\s+/)[2];
  return STATES.find(state => state === word) ?? null;
}

function checked(text: string | undefined, isSound: (text: string) => boolean): string | null {
  return text !== undefined && isSound(text) ? text : null;
}

/** "package (<< version), package:any, ...": the names. Whether the version fits matters little: see claims.ts. */
function parseReplaces(value: string): ReadonlySet<string> {
  const names = value.split(',').map(part => /^\s*([A-Za-z0-9+._-]+)/.exec(part)?.[1]);
  return new Set(names.filter(name => name !== undefined));
}

/** Lines of " path digest", and "obsolete" and "remove-on-upgrade" behind where they apply. */
function parseConffiles(value: string, complain: (fault: string) => void): Conffile[] {
  const conffiles: Conffile[] = [];
  for (const line of value.split('\n')) {
    if (line.trim() === '') continue;
    const conffile = parseConffile(line);
    if (conffile === null) complain(`with a conffile line that cannot be read: ${excerpt(line)}`);
    else conffiles.push(conffile);
  }
  return conffiles;
}

const CONFFILE = /^ +(.+?) +(\S+?)( obsolete)?( remove-on-upgrade)?\s*$/s;
/** A path, a digest and two words. */
const LONGEST_CONFFILE_LINE = 4500;
/** What dpkg writes where a digest would stand: not configured yet, not there, not readable. */
const NO_DIGEST = new Set(['newconffile', 'nonexistent', '-']);

function parseConffile(line: string): Conffile | null {
  if (line.length > LONGEST_CONFFILE_LINE) return null;
  const [, name, digest, obsolete, removed] = CONFFILE.exec(line) ?? [];
  if (name === undefined || digest === undefined) return null;
  const path = `/${name.replace(/^(?:\.?\/)+/, '')}`;
  if (faultOfPath(path) !== null) return null;
  if (NO_DIGEST.has(digest)) return { path, md5: null, unsettled: true, obsolete: obsolete !== undefined };
  if (!/^[0-9a-f]{32}$/.test(digest)) return null;
  return { path, md5: digest, unsettled: removed !== undefined, obsolete: obsolete !== undefined };
}
