// What a process that calls lostwrite learns from its exit code.

/** Scanned whole; no finding that --fail-on lists. */
export const EXIT_CLEAN = 0;
/** Scanned whole; findings. */
const EXIT_FINDINGS = 1;
/** Usage, configuration, or something that cannot be opened. */
export const EXIT_USAGE = 2;
/** Not scanned whole. */
export const EXIT_PARTIAL = 3;

/** The exit code of a scan that was reported. Not whole wins over findings, unless `allowPartial`. */
export function scanExitCode(scan: { complete: boolean; hasFindings: boolean; allowPartial: boolean }): number {
  if (!scan.complete && !scan.allowPartial) return EXIT_PARTIAL;
  return scan.hasFindings ? EXIT_FINDINGS : EXIT_CLEAN;
}
