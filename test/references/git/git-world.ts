// Real repositories in a directory of their own, made by git itself with settings that no user or system adds to.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openHostFilesystem } from '../../../src/filesystems/host/host-filesystem.ts';
import type { Expectation } from '../../../src/model.ts';
import { GitReference } from '../../../src/references/git/git-reference.ts';
import { walkEntries } from './walk-entries.ts';

const ENVIRONMENT = {
  PATH: process.env.PATH ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.org',
};

export class GitWorld {
  readonly root: string;

  constructor(root = mkdtempSync(join(tmpdir(), 'lostwrite-git-'))) {
    this.root = root;
  }

  at(name: string): string {
    return join(this.root, name);
  }

  git(repository: string, ...args: readonly string[]): string {
    const options = { encoding: 'latin1' as const, env: ENVIRONMENT, maxBuffer: 2 ** 26 };
    return execFileSync('git', ['-C', this.at(repository), '-c', 'protocol.file.allow=always', ...args], options);
  }

  init(repository: string, ...args: readonly string[]): void {
    mkdirSync(this.at(repository), { recursive: true });
    this.git(repository, 'init', '-q', ...args);
  }

  write(name: string, content: string | Buffer): void {
    mkdirSync(dirname(this.at(name)), { recursive: true });
    writeFileSync(this.at(name), content);
  }

  /** As if git had written it an hour later: nothing in it is racy then. */
  age(index: string): void {
    const later = Date.now() / 1000 + 3600;
    utimesSync(this.at(index), later, later);
  }

  /** Adds everything, and ages the index. */
  add(repository: string): void {
    this.git(repository, 'add', '-A');
    this.age(`${repository}/.git/index`);
  }

  reference(): GitReference {
    const filesystem = openHostFilesystem(this.root);
    const reference = new GitReference(filesystem);
    for (const entry of walkEntries(filesystem)) reference.look(entry);
    return reference;
  }

  expectations(): Expectation[] {
    return [...this.reference().expectations()];
  }

  /** Paths that something is expected of. */
  tracked(): string[] {
    return this.expectations().map(({ path }) => path);
  }

  close(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
