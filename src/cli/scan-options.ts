// From settings to ScanOptions: every value judged, none left as text.

import { UsageError } from '../errors.ts';
import type { ScanOptions } from '../run/options.ts';
import { parseStripe } from './extents.ts';
import { DEFAULT_FAIL_ON, parseFailOn } from './fail-on.ts';
import { parseWindow } from './instant.ts';
import { choice, parseJobs, type Settings, words } from './settings.ts';

const REFERENCE_KINDS = ['dpkg'];

/** Everything but what needs the file system: target and store. */
export type JudgedOptions = Omit<ScanOptions, 'target' | 'store'>;

/** What a scan does that was given no option: all but the number of threads. */
export const DEFAULT_SCAN: Omit<JudgedOptions, 'jobs'> = {
  window: null,
  baseline: null,
  references: [],
  include: [],
  exclude: [],
  scanners: null,
  stripeBytes: null,
  metadataOnly: false,
  crossMounts: false,
  resume: 'auto',
  failOn: parseFailOn(DEFAULT_FAIL_ON),
};

/** UsageError, naming the option, for a value that makes no sense. */
export function judgeScanOptions(settings: Settings, processors: number): JudgedOptions {
  const window = settings.text('window');
  const scanners = settings.list('scanner');
  const failOn = settings.list('fail-on');
  const stripe = settings.text('stripe');
  return {
    window: window === null ? null : parseWindow(window),
    baseline: settings.text('baseline'),
    references: settings.list('reference').map(parseReference),
    include: settings.list('include'),
    exclude: settings.list('exclude'),
    scanners: scanners.length === 0 ? null : words(scanners, 'scanner'),
    stripeBytes: stripe === null ? null : parseStripe(stripe),
    metadataOnly: settings.flag('metadata-only'),
    crossMounts: settings.flag('cross-mounts'),
    jobs: parseJobs(settings.text('jobs'), processors),
    resume: choice(settings.text('resume') ?? DEFAULT_SCAN.resume, 'resume', ['auto', 'never']),
    failOn: failOn.length === 0 ? DEFAULT_SCAN.failOn : parseFailOn(failOn.join(',')),
  };
}

function parseReference(text: string): ScanOptions['references'][number] {
  const colon = text.indexOf(':');
  const kind = text.slice(0, colon);
  const path = text.slice(colon + 1);
  if (colon < 1 || path === '') throw new UsageError(`--reference: "${text}": expected KIND:PATH`);
  if (!REFERENCE_KINDS.includes(kind))
    throw new UsageError(`--reference: "${kind}": no such kind; there is ${REFERENCE_KINDS.join(', ')}`);
  return { kind, path };
}
