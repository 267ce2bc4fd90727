// Repositories that the real git makes and keeps, and what the scanners say of their files.

import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Siblings, StructureScanner } from '../../scanners/scanner.ts';
import { memoryBytes } from '../../src/bytes/memory-bytes.ts';
import { statOfHost } from '../../src/filesystems/host/host-stat.ts';
import type { Observation } from '../../src/model.ts';

const SETTINGS = {
  'user.name': 'N',
  'user.email': 'n@example.org',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'protocol.file.allow': 'always',
  'uploadpack.allowFilter': 'true',
};
/** A reverse index of its own beside a multi-pack index is written by gits before 2.41, or when it is asked for so. */
const ENVIRONMENT = { ...process.env, GIT_TEST_MIDX_WRITE_REV: '1' };
const OPTIONS = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);

/** The second number of git's version, which is 2.x. */
export const MINOR = Number(/2\.(\d+)/.exec(execFileSync('git', ['version'], { encoding: 'utf8' }))?.[1]);

/** The object formats that the git of this machine knows. */
export const FORMATS = ['sha1', 'sha256'].filter(format => {
  const directory = mkdtempSync(join(tmpdir(), 'lostwrite-git-'));
  try {
    return spawnSync('git', ['init', '-q', `--object-format=${format}`, directory]).status === 0;
  } finally {
    rmSync(directory, { recursive: true });
  }
});

export class GitRepository {
  readonly root: string;

  constructor(format: string, ...options: string[]) {
    this.root = mkdtempSync(join(tmpdir(), 'lostwrite-git-'));
    this.git('init', '-q', `--object-format=${format}`, ...options);
  }

  git(...options: string[]): string {
    const context = { cwd: this.root, env: ENVIRONMENT, encoding: 'utf8', stdio: 'pipe' } as const;
    return execFileSync('git', [...OPTIONS, ...options], context).trim();
  }

  /** Whether git itself ends with an error. */
  fails(...options: string[]): boolean {
    return spawnSync('git', [...OPTIONS, ...options], { cwd: this.root, stdio: 'pipe' }).status !== 0;
  }

  /** 150 files whose names begin with `prefix`, committed. */
  commitFiles(prefix: string): void {
    for (let index = 0; index < 150; index++) {
      writeFileSync(join(this.root, `${prefix}-${index}`), `${prefix} line ${index}\n`.repeat(1 + (index % 30)));
    }
    this.git('add', '.');
    this.git('commit', '-q', '-m', prefix);
  }

  /** Paths of all files below `folder`, from the root on; git may be at work there. */
  files(folder = '.git'): string[] {
    const { stdout } = spawnSync('find', [folder, '-type', 'f'], { cwd: this.root, encoding: 'utf8' });
    return stdout.split('\n').slice(0, -1).sort();
  }

  read(path: string): Buffer {
    return readFileSync(join(this.root, path));
  }

  write(path: string, content: Uint8Array): void {
    const host = join(this.root, path);
    if (spawnSync('test', ['-e', host]).status === 0) chmodSync(host, 0o644);
    writeFileSync(host, content);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, maxRetries: 5 });
  }
}

export const ANY_FILE = statOfHost(lstatSync(import.meta.filename, { bigint: true }));

/** Nothing is asked of the files beside it. */
export const ALONE: Siblings = { first: () => null };

/** What the scanner says of `content` at `path`: as the worker asks it. */
export function inspected(scanner: StructureScanner, path: string, content: Uint8Array): Observation[] {
  const stat = { ...ANY_FILE, sizeBytes: content.length };
  return scanner.wants(path, stat) ? [...scanner.inspect(path, stat, memoryBytes(path, content), ALONE)] : [];
}

/** The rules of it, joined; '' when it has nothing to say. */
export function rulesOf(scanner: StructureScanner, path: string, content: Uint8Array): string {
  return inspected(scanner, path, content)
    .map(({ rule, supports }) => `${supports ? 'against' : 'for'}: ${rule}`)
    .join(', ');
}

/** One that holds a file of every kind that ends with a digest. */
export function repositoryOfAllKinds(format: string): GitRepository {
  const repository = new GitRepository(format);
  const git = (...options: string[]) => repository.git('-c', 'pack.writeReverseIndex=true', ...options);
  repository.commitFiles('lost');
  git('tag', 'kept');
  repository.commitFiles('unreachable');
  git('reset', '-q', '--hard', 'kept');
  git('reflog', 'expire', '--expire=now', '--all');
  git('repack', '-q', '-d', '--cruft', '--write-bitmap-index');
  repository.commitFiles('second');
  git('commit-graph', 'write', '--reachable', '--split=no-merge');
  git('repack', '-q', '-d');
  git('multi-pack-index', 'write', '--bitmap');
  repository.commitFiles('third');
  git('commit-graph', 'write', '--reachable', '--split=no-merge');
  git('worktree', 'add', '-q', '-b', 'other', 'other');
  git('-C', 'other', 'update-index', '--split-index');
  git('submodule', 'add', '-q', repository.root, 'module');
  git('-C', 'module', 'commit-graph', 'write', '--reachable');
  git('-C', 'module', 'update-index', '--index-version', '4');
  return repository;
}
