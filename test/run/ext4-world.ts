// A small real ext4 file system on a loop mount, and the library's own captures and scans of it. Needs root.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyImage } from '../../fixtures/incident/disk-image.ts';
import type { ImageShape } from '../../fixtures/incident/disk-kind.ts';
import { makeImage } from '../../fixtures/incident/ext4-image.ts';
import { hasProgram, run } from '../../fixtures/incident/processes.ts';
import type { Finding, Nanoseconds, TargetSpec, Window } from '../../src/model.ts';
import { nowNs } from '../../src/run/now.ts';
import type { RunHooks } from '../../src/run/options.ts';
import { createBaseline, identityOf, scan } from '../../src/run.ts';

/** Why there can be no such world here; null: there can. */
export function worldObstacle(): string | null {
  if (process.getuid?.() !== 0) return 'mounting needs root';
  const absent = ['mkfs.ext4', 'mount', 'umount', 'python3', 'rsync', 'git', 'sqlite3', 'dpkg', 'dpkg-deb'].filter(
    program => !hasProgram(program),
  );
  return absent.length === 0 ? null : `needs ${absent.join(', ')}`;
}

const QUIET: RunHooks = {
  onProgress: () => undefined,
  onNotice: () => undefined,
  signal: new AbortController().signal,
};
const SHAPE: ImageShape = { seed: 7, sizeMib: 32, blockSizeBytes: 4096, journalMib: 4 };
const NOTHING_LEFT_OUT = { include: [], exclude: [], crossMounts: false, jobs: 1 };

/** One image, mounted until it is closed. */
export class Ext4World {
  readonly scratch = mkdtempSync(join(tmpdir(), 'lostwrite-world-'));
  readonly root = join(this.scratch, 'mount');
  readonly #image = join(this.scratch, 'disk.img');
  readonly #store = { path: join(this.scratch, 'store.db') };
  #mounted = false;

  constructor() {
    mkdirSync(this.root);
    makeImage(this.#image, SHAPE);
    this.#mount();
  }

  #mount(): void {
    run('mount', ['-t', 'ext4', '-o', 'loop,rw,noatime', this.#image, this.root]);
    this.#mounted = true;
  }

  #unmount(): void {
    run('umount', [this.root]);
    this.#mounted = false;
  }

  /** Keeps the whole disk as it is now. */
  saveDisk(name: string): void {
    this.#unmount();
    copyImage(this.#image, join(this.scratch, name));
    this.#mount();
  }

  /** Puts a kept disk back in the place of this one. */
  restoreDisk(name: string): void {
    this.#unmount();
    copyImage(join(this.scratch, name), this.#image);
    this.#mount();
  }

  /** A generation of now for each series; gives its time. Nothing is synchronised: a live capture does not either. */
  async capture(...series: readonly string[]): Promise<Nanoseconds> {
    const atNs = nowNs();
    for (const name of series) {
      const target = this.#target();
      await createBaseline({ target, store: this.#store, name, atNs, ...NOTHING_LEFT_OUT }, QUIET);
    }
    return atNs;
  }

  async scan(baseline: string | null, window: Window | null): Promise<Finding[]> {
    const target = this.#target();
    const common = { references: [], scanners: null, metadataOnly: false, resume: 'never', failOn: [] } as const;
    const outcome = await scan({ target, window, store: this.#store, baseline, ...NOTHING_LEFT_OUT, ...common }, QUIET);
    try {
      return [...outcome.report.findings()];
    } finally {
      outcome.close(false);
    }
  }

  #target(): TargetSpec {
    return { kind: 'directory', name: this.root, path: this.root, snapshot: null, identity: identityOf(this.root) };
  }

  close(): void {
    if (this.#mounted) this.#unmount();
    rmSync(this.scratch, { recursive: true });
  }
}

/** What a finding says in one line. */
export function line({ path, verdict, confidence, metadataOnly, evidence }: Finding): string {
  const rules = evidence.map(each => each.rule).join(', ');
  return `${path}: ${verdict}${metadataOnly ? ' metadata' : ''}, ${confidence} (${rules})`;
}

/** A scan with what it is compared to and where its window lies. */
export interface Look {
  readonly name: string;
  readonly findings: readonly Finding[];
}

/** Findings that say more than that something is worth a look. */
export function accusations(looks: readonly Look[], isMeant: (finding: Finding) => boolean): string[] {
  return looks.flatMap(({ name, findings }) =>
    findings
      .filter(finding => finding.confidence !== 'possible' && isMeant(finding))
      .map(finding => `${name}: ${line(finding)}`),
  );
}
