// Expectations of all references and the walked tree, met in one merge of sorted streams: memory does not grow with files.

import type { BytePath, Expectation } from '../model.ts';
import { comparePaths, isBelow, parentPath } from '../path.ts';
import type { Reference } from '../references/reference.ts';
import type { Selection } from '../tree/selection.ts';
import type { SpoolEntry } from './spool.ts';

/** Everything that speaks of one path. */
export interface PathGroup {
  readonly path: BytePath;
  /** Null: not listed. */
  readonly entry: SpoolEntry | null;
  readonly expected: readonly Expectation[];
  /** What the file system's own log has it as. */
  readonly logged: Expectation | null;
}

export interface PathStreamOptions {
  readonly selection: Selection;
  /** What references have below these, and the tree has not, is in another volume. */
  readonly mountPoints: ReadonlySet<BytePath>;
  /** What was found by name where the listing failed. */
  readonly unlisted?: ReadonlyMap<BytePath, SpoolEntry>;
  /** The file system's own log, where it knows better than the disk. */
  readonly log?: Reference | null;
}

/**
 * Ascending by path key. Paths that the run does not look at (excluded, below a mount that is not crossed, below a
 * directory without permission) are left out, whatever references say of them; the mount itself is given.
 */
export function* pathStream(
  entries: Iterable<SpoolEntry>,
  references: readonly Reference[],
  options: PathStreamOptions,
): Iterable<PathGroup> {
  const tree = new Cursor(entries);
  const cursors = references.map(reference => new Cursor(reference.expectations()));
  const log = new Cursor(options.log?.expectations() ?? []);
  const all = [tree, log, ...cursors];
  let closed: BytePath | null = null;
  for (;;) {
    const path = leastPath(all);
    if (path === null) return;
    const entry = tree.take(path) ?? options.unlisted?.get(path) ?? null;
    const expected = cursors.flatMap(cursor => cursor.take(path) ?? []);
    const logged = log.take(path);
    if (closed !== null && isBelow(path, closed)) continue;
    if (entry === null && isMountedOver(path, options.mountPoints)) continue;
    if (entry !== null && isClosed(entry)) closed = path;
    if (entry?.kind === 'excluded' || !options.selection.includes(path, entry?.stat?.type === 'directory')) continue;
    yield { path, entry, expected, logged };
  }
}

function isMountedOver(path: BytePath, mountPoints: ReadonlySet<BytePath>): boolean {
  if (mountPoints.size === 0) return false;
  for (let above = parentPath(path); above !== null; above = parentPath(above)) if (mountPoints.has(above)) return true;
  return false;
}

/** Nothing can be said of what lies below. */
function isClosed(entry: SpoolEntry): boolean {
  if (entry.kind === 'excluded' || entry.kind === 'mount') return true;
  return entry.fault !== null && entry.fault.kind !== 'unreadable';
}

/** The head of one sorted stream. */
class Cursor<T extends { readonly path: BytePath }> {
  readonly #items: Iterator<T>;
  #head: T | null = null;

  constructor(items: Iterable<T>) {
    this.#items = items[Symbol.iterator]();
    this.#advance();
  }

  get path(): BytePath | null {
    return this.#head?.path ?? null;
  }

  /** The head when it is of this path; the stream then goes on. */
  take(path: BytePath): T | null {
    const head = this.#head;
    if (head === null || head.path !== path) return null;
    this.#advance();
    return head;
  }

  #advance(): void {
    const next = this.#items.next();
    const previous = this.#head;
    this.#head = next.done ? null : next.value;
    if (this.#head === null) return;
    if (previous !== null && comparePaths(previous.path, this.#head.path) >= 0) {
      throw new Error(`stream out of order: ${JSON.stringify(this.#head.path)} after ${JSON.stringify(previous.path)}`);
    }
  }
}

function leastPath(cursors: readonly Cursor<{ readonly path: BytePath }>[]): BytePath | null {
  let least: BytePath | null = null;
  for (const { path } of cursors) {
    if (path !== null && (least === null || comparePaths(path, least) < 0)) least = path;
  }
  return least;
}
