// The file `diversions`: three lines each, the path diverted, the path it is diverted to, and the package whose own file
// stays in place (":" for an administrator's diversion, which moves everybody's).

import type { BytePath } from '../../model.ts';
import { excerpt, faultOfPath, type Line, linesOf, type Report } from './lines.ts';
import { isPackageName } from './package-name.ts';

export interface Diversion {
  readonly to: BytePath;
  /** Null: everybody's file is diverted. */
  readonly by: string | null;
}

export class Diversions {
  readonly #byPath: ReadonlyMap<BytePath, Diversion>;

  constructor(byPath: ReadonlyMap<BytePath, Diversion>) {
    this.#byPath = byPath;
  }

  /** Where the package's file of that name lies. */
  placeOf(path: BytePath, packageName: string): BytePath {
    const diversion = this.#byPath.get(path);
    return diversion === undefined || diversion.by === packageName ? path : diversion.to;
  }
}

/** Lines that make no diversion are reported and stepped over, one at a time, until three fit again. */
export function parseDiversions(bytes: Buffer, report: Report): Diversions {
  const lines = [...linesOf(bytes)];
  const byPath = new Map<BytePath, Diversion>();
  for (let at = 0; at < lines.length; ) {
    const three = lines.slice(at, at + 3);
    const fault = faultOfThree(three);
    const [from, to, by] = three.map(line => line.text);
    if (fault === null && from !== undefined && to !== undefined && by !== undefined) {
      byPath.set(from, { to, by: by === ':' ? null : by });
      at += 3;
    } else {
      report(at + 1, fault ?? 'is not a diversion');
      at++;
    }
  }
  return new Diversions(byPath);
}

function faultOfThree(lines: readonly Line[]): string | null {
  const [from, to, by] = lines;
  if (from === undefined || to === undefined || by === undefined) return 'is not followed by the rest of a diversion';
  const fault = faultOfPath(from.text) ?? faultOfPath(to.text);
  if (fault !== null) return `starts no diversion: one of its lines ${fault}`;
  if (by.text !== ':' && !isPackageName(by.text)) return `starts a diversion by no package: ${excerpt(by.text)}`;
  return by.ended ? null : 'starts a diversion that may have been cut: there is no last newline';
}
