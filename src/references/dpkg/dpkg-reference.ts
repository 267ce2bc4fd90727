// The reference of Debian's package manager: what the installed packages brought, and what it should be. Of mode and owner
// the database says nothing but overrides (`statoverride`), so nothing is expected of them.
// Follows deb-md5sums(5), deb-conffiles(5), dpkg-divert(1) and what dpkg --verify and debsums do.

import type { Filesystem } from '../../filesystems/filesystem.ts';
import type { Digests, Expectation, ReferenceInfo, ScanError } from '../../model.ts';
import type { Reference } from '../reference.ts';
import type { Claim } from './claims.ts';
import { type DpkgSource, findDpkgDatabase } from './database.ts';
import { type LoadedClaims, loadClaims } from './load-claims.ts';

const DPKG_INFO: ReferenceInfo = {
  id: 'dpkg',
  kind: 'packages',
  atNs: null,
  vouches: 'content',
  complete: false,
};

/**
 * Reads the database whole. Paths are as they stand in `target`: diverted, its symlinked directories resolved, without
 * those that its dpkg was told not to unpack. Never throws for damage: see `errors`.
 * @param source the database, if it is not the target's own in /var/lib/dpkg.
 * @returns null when there is no database.
 */
export function openDpkgReference(
  target: Filesystem,
  source: DpkgSource | null = findDpkgDatabase(target),
): Reference | null {
  return source === null ? null : new DpkgReference(loadClaims(target, source));
}

class DpkgReference implements Reference {
  readonly info = DPKG_INFO;
  readonly errors: readonly ScanError[];
  readonly #loaded: LoadedClaims;

  constructor(loaded: LoadedClaims) {
    this.#loaded = loaded;
    this.errors = loaded.errors;
  }

  *expectations(): Iterable<Expectation> {
    for (const claim of this.#loaded.claims.walk()) yield expectationOf(claim);
  }
}

function expectationOf(claim: Claim): Expectation {
  const { owner, anyOwner, editable } = claim;
  return {
    reference: DPKG_INFO.id,
    path: claim.path,
    type: typeOf(claim),
    sizeBytes: null,
    digests: digestsOf(claim),
    blocks: null,
    linkTarget: null,
    stat: null,
    owner: owner?.owner ?? null,
    editable,
    installedAtNs: owner?.installedAtNs ?? null,
    remedy: editable ? anyOwner.conffileRemedy : anyOwner.remedy,
  };
}

/** The lists carry no types: what has a digest is a file, what has something below it is a directory. */
function typeOf(claim: Claim): 'directory' | 'file' | null {
  if (claim.isParent) return 'directory';
  return claim.digest === null ? null : 'file';
}

function digestsOf(claim: Claim): Digests {
  if (claim.algorithm === null || claim.digest === null || claim.isParent) return {};
  return { [claim.algorithm]: claim.digest };
}
