// Small systems that the real dpkg installs into a temporary root, and what dpkg says of them. The tests' oracle.

import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

function runs(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

function whyNot(): string | null {
  if (process.getuid?.() !== 0) return 'dpkg installs for root only';
  const lacking = ['dpkg', 'dpkg-deb', 'dpkg-divert'].filter(command => !runs(command));
  return lacking.length === 0 ? null : `not installed: ${lacking.join(', ')}`;
}

/** Why there can be no such system here; null when there can. */
export const NO_DPKG = whyNot();
if (NO_DPKG !== null) process.stderr.write(`dpkg tests skipped: ${NO_DPKG}\n`);

export const HAS_DEBSUMS = NO_DPKG === null && runs('debsums');
if (!HAS_DEBSUMS) process.stderr.write('debsums comparisons skipped: not installed\n');

export interface PackageSpec {
  readonly name: string;
  readonly version?: string;
  /** Further control fields, as lines. */
  readonly control?: readonly string[];
  readonly architecture?: string;
  /** Content by absolute path. */
  readonly files: Readonly<Record<string, string>>;
  /** Targets by absolute path. */
  readonly links?: Readonly<Record<string, string>>;
  readonly conffiles?: readonly string[];
}

export class DebianSystem {
  readonly root: string;
  readonly #scratch: string;

  /** @param like a system to begin with a copy of; else an empty one. */
  constructor(like: DebianSystem | null = null) {
    this.#scratch = mkdtempSync(join(tmpdir(), 'lostwrite-dpkg-'));
    this.root = join(this.#scratch, 'root');
    if (like !== null) {
      cpSync(like.root, this.root, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
      return;
    }
    for (const directory of ['info', 'updates', 'triggers']) mkdirSync(this.admin(directory), { recursive: true });
    for (const file of ['status', 'available', 'diversions', 'statoverride']) writeFileSync(this.admin(file), '');
  }

  path(path: string): string {
    return join(this.root, path);
  }

  admin(name: string): string {
    return join(this.root, 'var/lib/dpkg', name);
  }

  /** `/bin` and its like become symlinks into `/usr`, as on every Debian since 12. */
  mergeUsr(): void {
    for (const name of ['bin', 'sbin', 'lib']) {
      mkdirSync(this.path(`usr/${name}`), { recursive: true });
      symlinkSync(`usr/${name}`, this.path(name));
    }
  }

  write(path: string, content: string | Uint8Array): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), content);
  }

  link(path: string, target: string): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    symlinkSync(target, this.path(path));
  }

  build(spec: PackageSpec): string {
    const tree = mkdtempSync(join(this.#scratch, 'tree-'));
    chmodSync(tree, 0o755);
    for (const [path, content] of Object.entries(spec.files)) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), content);
    }
    for (const [path, target] of Object.entries(spec.links ?? {})) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      symlinkSync(target, join(tree, path));
    }
    mkdirSync(join(tree, 'DEBIAN'));
    writeFileSync(join(tree, 'DEBIAN/control'), controlOf(spec));
    if (spec.conffiles) writeFileSync(join(tree, 'DEBIAN/conffiles'), spec.conffiles.map(line => `${line}\n`).join(''));
    const deb = `${tree}.deb`;
    execFileSync('dpkg-deb', ['--nocheck', '-b', tree, deb], { stdio: 'pipe' });
    return deb;
  }

  install(spec: PackageSpec, ...options: string[]): void {
    this.dpkg(...options, '-i', this.build(spec));
  }

  dpkg(...options: string[]): string {
    const fixed = [
      `--root=${this.root}`,
      `--log=${join(this.#scratch, 'log')}`,
      '--force-unsafe-io',
      '--force-confold',
    ];
    return execFileSync('dpkg', [...fixed, ...options], { encoding: 'latin1', stdio: 'pipe' });
  }

  divert(...options: string[]): void {
    execFileSync('dpkg-divert', [`--root=${this.root}`, '--quiet', ...options], { stdio: 'pipe' });
  }

  /** dpkg's own verdicts, as "missing PATH" and "changed PATH", sorted; paths as the packages name them. */
  verify(): string[] {
    const { stdout } = spawnSync('dpkg', [`--root=${this.root}`, '--verify'], { encoding: 'latin1' });
    const lines = stdout.split('\n').filter(line => line !== '');
    return lines
      .map(line => line.replace(/^missing {5}[c ]? ?/, 'missing ').replace(/^\?\?5\S* . /, 'changed '))
      .sort();
  }

  /** The same from debsums; it knows regular files only. */
  debsums(): string[] {
    const { stdout, stderr } = spawnSync('debsums', ['-a', '-c', '-r', this.root], { encoding: 'latin1' });
    const changed = stdout.split('\n').filter(line => line !== '');
    const missing = [...stderr.matchAll(/missing file (\S+) \(from/g)].map(match => match[1] ?? '');
    const strip = (path: string) => path.slice(this.root.length);
    return [...changed.map(path => `changed ${strip(path)}`), ...missing.map(path => `missing ${strip(path)}`)].sort();
  }

  remove(): void {
    rmSync(this.#scratch, { recursive: true, force: true });
  }
}

function controlOf(spec: PackageSpec): string {
  const fields = [
    `Package: ${spec.name}`,
    `Version: ${spec.version ?? '1.0-1'}`,
    `Architecture: ${spec.architecture ?? 'all'}`,
    'Maintainer: Nobody <nobody@example.org>',
    'Description: a package for tests',
    ...(spec.control ?? []),
  ];
  return fields.map(field => `${field}\n`).join('');
}
