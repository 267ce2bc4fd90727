// The directory above a name: as it was in both generations, and as it is now.

import { directory, parentCase, type State } from '../path-case-of.ts';

export const under = (now: State | null) => parentCase([directory(4), directory(16)], now);
export const unchanged = under(directory(16));
export const changed = under(directory(22));
export const exchanged = under(directory(5, { inode: 77n }));
export const stampedBack = under(directory(14));
