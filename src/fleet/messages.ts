// What a sweep and the processes that scan its targets say to each other.

import type { Progress } from '../run/options.ts';
import type { TargetAnswer, TargetTask } from './scan-target.ts';

export type ToProcess = { readonly kind: 'task'; readonly task: TargetTask } | { readonly kind: 'cancel' };

export type FromProcess =
  | { readonly kind: 'answer'; readonly answer: TargetAnswer }
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'notice'; readonly line: string };
