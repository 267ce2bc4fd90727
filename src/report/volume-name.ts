// How a path's volume is told to people: not at all where a target has one.

import type { VolumeFacts } from '../model.ts';
import { printableText } from './printable.ts';

/** ` (volume 1, "data")` for the volume of a target that has several, to be put behind a path; `` otherwise. */
export type VolumeSuffix = (volume: number) => string;

export function volumeSuffixes(volumes: readonly VolumeFacts[]): VolumeSuffix {
  if (volumes.length < 2) return () => '';
  return index => {
    const label = volumes.find(volume => volume.index === index)?.label ?? '';
    return ` (volume ${index}${label === '' ? '' : `, "${printableText(label)}"`})`;
  };
}
