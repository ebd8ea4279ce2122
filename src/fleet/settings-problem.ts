import type { Path } from './read-yaml.ts';

/** A problem of one machine's settings and the places that may have caused it, the likeliest first. */
export interface SettingsProblem {
  readonly paths: readonly Path[];
  readonly problem: string;
  readonly cure: string;
}
