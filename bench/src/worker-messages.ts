import type { Figures } from './figures.ts';
import type { SubjectOptions } from './local-subject.ts';
import type { Measure } from './subject.ts';

/** What a process that measures is asked; it answers each request with figures, or with why there are none. */
export type Request =
  | { readonly start: SubjectOptions }
  | { readonly measure: Measure; readonly count: number }
  | { readonly stop: true };
export type Answer = { readonly figures: Figures } | { readonly error: string };
