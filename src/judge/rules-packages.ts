// Content and existence against package manifests. A manifest knows no metadata but the time of its own installation.

import type { Expectation } from '../model.ts';
import { agreement, isNameVouchedByLog, manifestsOf, newestPast, type PathCase, timelineOf } from './path-case.ts';
import type { Accusation, Rule } from './rule.ts';

/** Unpacking renames a file into place, which stamps it, and writes the package's list at its end: at most so much later. */
const UNPACK_NS = 600_000_000_000n;

export const PACKAGE_RULES: readonly Rule[] = [
  {
    name: 'not-replaced-by-upgrade',
    scanner: 'packages',
    says: 'The content differs from the manifest, and the inode is older than the installation that should have replaced it.',
    innocent: [
      'a system copied or unpacked as a whole: the list itself then shows it, and no time of installation is known',
      'a conffile',
      'a diversion: expected at the diverted place',
    ],
    accuse: notReplaced,
  },
  {
    name: 'untouched-since-unpacked',
    scanner: 'packages',
    says: 'The content differs from the manifest, and nothing has touched the inode since it was unpacked.',
    innocent: [
      'edited or replaced later, by hand or by the package’s own scripts: that stamps the inode after the list',
      'a system copied or unpacked as a whole: no time of installation is known',
      'the newest generation has it like this too, and knows the window’s end',
    ],
    accuse: untouchedSinceUnpacked,
  },
  {
    name: 'differs-from-manifest',
    scanner: 'packages',
    says: 'The content differs from the package’s manifest.',
    innocent: ['edited by an administrator or replaced by another program: `altered`', 'a conffile'],
    accuse: differsFromManifest,
  },
  {
    name: 'gone-from-package',
    scanner: 'packages',
    says: 'An installed package has the file, the target does not.',
    innocent: [
      'deleted by hand or by another program: stamps the directory, `possible` unless losses are beyond doubt',
      'path-exclude of dpkg: not expected',
      'deleted in the window, by a log that tells of every change of it (the list of the package is of an older day): exempt',
    ],
    raisedByLosses: true,
    accuse: known => (isOftenDeleted(known) || isDeletedByLog(known) ? null : goneFromPackage(known)),
  },
  {
    name: 'left-out-of-package',
    scanner: 'packages',
    says: 'An installed package has the file, the target does not; such files are often deleted on purpose.',
    innocent: [
      'deleted to save space (documentation, manuals, translations)',
      'a conffile that an administrator deleted',
      'the baseline already lacked it',
    ],
    accuse: known => (isOftenDeleted(known) ? goneFromPackage(known) : null),
  },
];

function wrongManifest(known: PathCase): Expectation | null {
  const { seen } = known;
  if (seen === null) return null;
  const manifests = manifestsOf(known);
  if (manifests.some(manifest => agreement(seen, manifest) === 'same')) return null;
  return manifests.find(manifest => !manifest.editable && agreement(seen, manifest) === 'different') ?? null;
}

function notReplaced(known: PathCase): Accusation | null {
  const manifest = manifestOfOlder(known);
  const stat = known.seen?.stat ?? null;
  if (manifest?.installedAtNs == null || stat === null) return null;
  const isFarOlder = stat.ctimeNs < manifest.installedAtNs - UNPACK_NS;
  if (!isFarOlder && !isOfOlderGeneration(known, manifest)) return null;
  const detail = `${describe(manifest)} was installed after this file last changed, and holds other content for it.`;
  return { verdict: 'stale', confidence: 'likely', detail, expected: manifest };
}

function untouchedSinceUnpacked(known: PathCase): Accusation | null {
  const manifest = manifestOfOlder(known);
  const stat = known.seen?.stat ?? null;
  if (manifest?.installedAtNs == null || stat === null || known.seen === null) return null;
  if (stat.ctimeNs < manifest.installedAtNs - UNPACK_NS || isOfOlderGeneration(known, manifest)) return null;
  const past = newestPast(known)?.expectation ?? null;
  if (past !== null && agreement(known.seen, past) === 'same') return null;
  const detail = `${describe(manifest)} put other content there, and nothing has touched the file since.`;
  return { verdict: 'garbage', confidence: 'likely', detail, expected: manifest };
}

/** A manifest with a digest that the content fails, of an installation that came after the inode's last change. */
function manifestOfOlder(known: PathCase): Expectation | null {
  const manifest = wrongManifest(known);
  const stat = known.seen?.stat ?? null;
  if (manifest?.installedAtNs == null || stat === null || Object.keys(manifest.digests).length === 0) return null;
  return stat.ctimeNs <= manifest.installedAtNs ? manifest : null;
}

/** The file is as a generation from before the installation has it: then no margin is needed. */
function isOfOlderGeneration(known: PathCase, manifest: Expectation): boolean {
  const { seen } = known;
  if (seen === null || manifest.installedAtNs === null) return false;
  const { installedAtNs } = manifest;
  return timelineOf(known).some(
    ({ generation, expectation }) =>
      generation.atNs < installedAtNs && expectation !== null && agreement(seen, expectation) === 'same',
  );
}

function differsFromManifest(known: PathCase): Accusation | null {
  const manifest = wrongManifest(known);
  if (manifest === null) return null;
  const past = newestPast(known)?.expectation ?? null;
  const before = past !== null && known.seen !== null && agreement(known.seen, past) === 'same';
  const since = before ? ' It did so already when the baseline was made.' : '';
  const detail = `The content differs from the manifest of ${describe(manifest)}.${since}`;
  return { verdict: 'altered', confidence: 'likely', detail, expected: manifest };
}

/** Trees that are stripped to save space, by hand or by images' build scripts. */
const STRIPPED =
  /^\/usr\/(share\/(doc|man|locale|info|lintian|bug|linda|help|gnome\/help)|lib\/python3\/dist-packages\/.*__pycache__)(\/|$)/;

function goneFromPackage(known: PathCase): Accusation | null {
  const [manifest = null] = manifestsOf(known);
  if (known.seen !== null || manifest === null) return null;
  const detail = `${describe(manifest)} has it, and it is gone.`;
  const causedByDirectory = known.above?.verdict === 'missing';
  return {
    verdict: 'missing',
    confidence: goneConfidence(known, manifest),
    detail,
    expected: manifest,
    causedByDirectory,
  };
}

function isOftenDeleted(known: PathCase): boolean {
  const past = newestPast(known);
  const goneBefore = past !== null && past.expectation === null;
  return goneBefore || STRIPPED.test(known.path) || manifestsOf(known).every(manifest => manifest.editable);
}

/** The newest generation had it, and the log has nothing against its being gone. */
function isDeletedByLog(known: PathCase): boolean {
  return isNameVouchedByLog(known) && newestPast(known)?.expectation != null;
}

/** Deleting stamps the directory: one that has not changed since the unpacking lost the name otherwise. */
function goneConfidence(known: PathCase, manifest: Expectation): 'likely' | 'possible' {
  if (isOftenDeleted(known)) return 'possible';
  if (known.above?.verdict === 'missing') return known.above.confidence === 'possible' ? 'possible' : 'likely';
  const directory = known.parent?.seen?.stat ?? null;
  const isUntouched =
    directory !== null && manifest.installedAtNs !== null && directory.ctimeNs <= manifest.installedAtNs;
  return isUntouched ? 'likely' : 'possible';
}

function describe(manifest: Expectation): string {
  if (manifest.owner === null) return manifest.reference;
  return [manifest.owner.kind, manifest.owner.name, manifest.owner.version].filter(Boolean).join(' ');
}
