// Content and existence against package manifests. A manifest knows no metadata but the time of its own installation.

import type { Expectation } from '../model.ts';
import { agreement, manifestsOf, newestPast, type PathCase } from './path-case.ts';
import type { Accusation, Rule } from './rule.ts';

/** An unpacked file is stamped before its package's list is written: the list's own stamp is later, by a margin for slow disks. */
const UNPACK_NS = 600_000_000_000n;

export const PACKAGE_RULES: readonly Rule[] = [
  {
    name: 'not-replaced-by-upgrade',
    scanner: 'packages',
    says: 'The content differs from the manifest, and the inode is older than the installation that should have replaced it.',
    innocent: [
      'a system copied or unpacked as a whole: then files that do agree are older too (judged per package)',
      'a conffile',
      'a diversion: expected at the diverted place',
    ],
    accuse: notReplaced,
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
      'deleted to save space (documentation, manuals, translations): `possible`',
      'path-exclude of dpkg: not expected',
      'the baseline already lacked it: `possible`',
    ],
    accuse: goneFromPackage,
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
  const manifest = wrongManifest(known);
  const stat = known.seen?.stat ?? null;
  if (manifest?.installedAtNs == null || stat === null || Object.keys(manifest.digests).length === 0) return null;
  if (stat.ctimeNs >= manifest.installedAtNs - UNPACK_NS && !isOfOlderGeneration(known, manifest)) return null;
  if (stat.ctimeNs >= manifest.installedAtNs) return null;
  const detail = `${describe(manifest)} was installed after this file last changed, and holds other content for it.`;
  return { verdict: 'stale', confidence: 'likely', detail, expected: manifest };
}

/** The file is as a generation from before the installation has it: then no margin is needed. */
function isOfOlderGeneration(known: PathCase, manifest: Expectation): boolean {
  const past = newestPast(known);
  if (past?.expectation == null || known.seen === null || manifest.installedAtNs === null) return false;
  return past.generation.atNs < manifest.installedAtNs && agreement(known.seen, past.expectation) === 'same';
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
  const manifest = manifestsOf(known).find(expectation => !expectation.editable) ?? null;
  if (known.seen !== null || manifest === null) return null;
  const past = newestPast(known);
  const goneBefore = past !== null && past.expectation === null;
  const confidence = STRIPPED.test(known.path) || goneBefore ? 'possible' : 'likely';
  const detail = `${describe(manifest)} has it, and it is gone.`;
  const causedByDirectory = known.above?.verdict === 'missing';
  return { verdict: 'missing', confidence, detail, expected: manifest, causedByDirectory };
}

function describe(manifest: Expectation): string {
  if (manifest.owner === null) return manifest.reference;
  return [manifest.owner.kind, manifest.owner.name, manifest.owner.version].filter(Boolean).join(' ');
}
