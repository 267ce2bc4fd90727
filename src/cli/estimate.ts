// How fast it goes and how long it will take. Pure: whoever observes brings the clock.

interface Work {
  readonly filesDone: number;
  readonly filesTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

export interface Estimate {
  /** 0 to 1; null while the total is not known. */
  readonly fraction: number | null;
  readonly filesPerSecond: number;
  readonly bytesPerSecond: number;
  /** Null: it would be a guess. */
  readonly remainingMs: number | null;
}

export interface Estimator {
  observe(atMs: number, work: Work): Estimate;
}

/** Opening a file costs about as much as reading this much of a big one: some 50 us at 1.3 GB/s. */
const FILE_COST_BYTES = 65_536;
/** What happened this long ago counts for 1/e: long enough to even out big and small files. */
const MEMORY_MS = 10_000;
/** Before this nothing is foretold: the first files are not like the rest. */
const FIRST_ESTIMATE_MS = 3_000;
const FIRST_ESTIMATE_FRACTION = 0.005;

/** One for each phase of a run. */
export function createEstimator(): Estimator {
  let first: { atMs: number; fraction: number } | null = null;
  let last: { atMs: number; work: Work } | null = null;
  const sums = { files: 0, bytes: 0, weightMs: 0 };

  return {
    observe(atMs, work) {
      const fraction = fractionOf(work);
      first ??= { atMs, fraction: fraction ?? 0 };
      if (last !== null && atMs > last.atMs) remember(sums, atMs - last.atMs, last.work, work);
      if (last === null || atMs > last.atMs) last = { atMs, work };
      const trusted =
        atMs - first.atMs >= FIRST_ESTIMATE_MS && (fraction ?? 0) - first.fraction >= FIRST_ESTIMATE_FRACTION;
      return { fraction, ...ratesOf(sums), remainingMs: trusted ? remainingMs(sums, work) : null };
    },
  };
}

interface Sums {
  files: number;
  bytes: number;
  weightMs: number;
}

function remember(sums: Sums, elapsedMs: number, before: Work, now: Work): void {
  const kept = Math.exp(-elapsedMs / MEMORY_MS);
  sums.files = sums.files * kept + Math.max(0, now.filesDone - before.filesDone);
  sums.bytes = sums.bytes * kept + Math.max(0, now.bytesDone - before.bytesDone);
  sums.weightMs = sums.weightMs * kept + elapsedMs;
}

function ratesOf(sums: Sums): Pick<Estimate, 'filesPerSecond' | 'bytesPerSecond'> {
  const seconds = sums.weightMs / 1000;
  if (seconds === 0) return { filesPerSecond: 0, bytesPerSecond: 0 };
  return { filesPerSecond: sums.files / seconds, bytesPerSecond: sums.bytes / seconds };
}

const costOf = (files: number, bytes: number): number => files * FILE_COST_BYTES + bytes;

function fractionOf(work: Work): number | null {
  const total = costOf(work.filesTotal, work.bytesTotal);
  return total === 0 ? null : Math.min(1, costOf(work.filesDone, work.bytesDone) / total);
}

/** Null while nothing moves. */
function remainingMs(sums: Sums, work: Work): number | null {
  const done = costOf(sums.files, sums.bytes);
  if (done === 0) return null;
  const left = costOf(work.filesTotal, work.bytesTotal) - costOf(work.filesDone, work.bytesDone);
  return (Math.max(0, left) * sums.weightMs) / done;
}
