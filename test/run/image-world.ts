// An image that the kernel writes to while it is mounted, copies of it, and the library's own scans of it against them.
// Needs root.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyImage } from '../../fixtures/incident/disk-image.ts';
import type { ImageShape } from '../../fixtures/incident/disk-kind.ts';
import { DISK_KINDS, type DiskKindName } from '../../fixtures/incident/disk-kinds.ts';
import { run } from '../../fixtures/incident/processes.ts';
import type { Finding, TargetSpec, Window } from '../../src/model.ts';
import type { RunHooks, ScanOptions } from '../../src/run/options.ts';
import { identityOf, scan } from '../../src/run.ts';

const QUIET: RunHooks = {
  onProgress: () => undefined,
  onNotice: () => undefined,
  signal: new AbortController().signal,
};
const SHAPE: ImageShape = { seed: 7, sizeMib: 64, blockSizeBytes: 4096, journalMib: 4 };

export class ImageWorld {
  readonly scratch = mkdtempSync(join(tmpdir(), 'lostwrite-images-'));
  readonly root = join(this.scratch, 'mount');
  readonly disk = this.at('disk.img');

  readonly #kind: DiskKindName;

  constructor(shape: Partial<ImageShape> = {}, kind: DiskKindName = 'ext4') {
    this.#kind = kind;
    mkdirSync(this.root);
    DISK_KINDS[kind].make(this.disk, { ...SHAPE, ...shape });
  }

  at(name: string): string {
    return join(this.scratch, name);
  }

  /** Everything is written home when it is unmounted. @param ways further options of the mount. */
  mounted(body: (root: string) => void, ways: readonly string[] = []): void {
    run('mount', ['-t', this.#kind, '-o', ['loop', 'rw', 'noatime', ...ways].join(), this.disk, this.root]);
    try {
      body(this.root);
    } finally {
      run('umount', [this.root]);
    }
  }

  /** Keeps the disk as it is now. */
  keep(name: string): void {
    copyImage(this.disk, this.at(name));
  }

  /** @param before names of kept images, oldest first. */
  async scan(before: readonly string[], window: Window | null = null): Promise<Finding[]> {
    const options: ScanOptions = {
      target: imageAt(this.disk),
      before: before.map(name => imageAt(this.at(name))),
      window,
      store: { path: null },
      baseline: null,
      references: [],
      include: [],
      exclude: [],
      scanners: null,
      metadataOnly: false,
      crossMounts: false,
      jobs: 1,
      resume: 'never',
      failOn: [],
    };
    const outcome = await scan(options, QUIET);
    try {
      return [...outcome.report.findings()];
    } finally {
      outcome.close(false);
    }
  }

  close(): void {
    rmSync(this.scratch, { recursive: true });
  }
}

function imageAt(path: string): TargetSpec {
  return { kind: 'image', name: path, path, snapshot: null, identity: identityOf(path) };
}
