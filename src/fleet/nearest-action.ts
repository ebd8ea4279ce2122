import type { Action, Catalogue } from './action.ts';

/** Shorter words, and these, tell no two commands apart. */
const minCharacters = 3;
const everywhere = new Set(['bash', 'bin', 'etc', 'host', 'lib', 'opt', 'sbin', 'sudo', 'usr', 'var']);

/**
 * The action of the catalogue that comes nearest to a command: the one that has most words in common with it, in its
 * name, its arguments or the values it allows. undefined where none has any. A hint for people, nothing more.
 */
export function nearestAction(actions: Catalogue, command: string): string | undefined {
  const wanted = wordsOf(command);
  let nearest: string | undefined;
  let most = 0;
  for (const [name, action] of actions) {
    const common = wanted.intersection(wordsOfAction(name, action)).size;
    if (common <= most) continue;
    nearest = name;
    most = common;
  }
  return nearest;
}

function wordsOfAction(name: string, { argv, params }: Action): ReadonlySet<string> {
  const values = Object.values(params).flatMap((param) => (param.type === 'choice' ? param.values : []));
  const literals = argv.map((argument) => argument.replace(/\{[^}]*\}/g, ' '));
  return wordsOf([name, ...literals, ...values].join(' '));
}

function wordsOf(text: string): ReadonlySet<string> {
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return new Set(words.filter((word) => word.length >= minCharacters && !everywhere.has(word)));
}
