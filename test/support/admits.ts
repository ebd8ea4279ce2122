import type { PolicyWord } from '../../src/fleet/command-pattern.ts';
import { matchesGlob } from '../../src/fleet/glob.ts';

/** Which paths a policy lets commands read. */
export interface Readable {
  readonly readable: readonly string[];
  readonly secret: readonly string[];
}

/** A place of a command, also as it is read back from JSON. */
type Place = Pick<PolicyWord, 'match' | 'min' | 'max'> & { readonly path?: true | undefined };

/** Whether the path, resolved, may be read: what the broker decides, without its file system. */
export function mayRead({ readable, secret }: Readable, path: string): boolean {
  const isSecret = secret.some((glob) => matchesGlob(path.toLowerCase(), glob.toLowerCase()));
  return !isSecret && readable.some((glob) => matchesGlob(path, glob));
}

/** Whether a command is listed, as the broker decides: its arguments fit the places in order, in any division. */
export function admits(words: readonly Place[], argv: readonly string[], paths: Readable): boolean {
  const [place, ...rest] = words;
  if (place === undefined) return argv.length === 0;
  const fits = (argument: string) =>
    new RegExp(place.match).test(argument) && (!place.path || mayRead(paths, argument));
  for (let taken = 0; taken <= Math.min(place.max, argv.length); taken++) {
    if (!argv.slice(0, taken).every(fits)) return false;
    if (taken >= place.min && admits(rest, argv.slice(taken), paths)) return true;
  }
  return false;
}
