// How a section of the summary is shown.

import type { Palette } from './palette.ts';
import type { VolumeSuffix } from './volume-name.ts';

export interface Display {
  readonly palette: Palette;
  /** Width of the terminal. */
  readonly columns: number;
  readonly volumeOf: VolumeSuffix;
}
