import { InputError } from '../fleet/errors.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Machine } from '../fleet/machine.ts';
import { parseSelector, selectAll, selectorProblem, typedMaxCharacters } from '../fleet/selector.ts';
import { isNear, suggest } from '../fleet/suggest.ts';

/** What people put around a word. */
const quotesAtEnds = /^["'`]+|["'`]+$/g;

/** In shorter words a slip makes another word too easily. */
const shortestSlip = 4;

/** Words are no selectors; what holds one of these was probably meant as one. */
const selectorLike = /[*?=&!,\d-]/;

/** Selector and reason; or the first word, which looks like a selector but matches no machine. */
export type HaltWords =
  | { readonly selector: string; readonly reason: string }
  | { readonly unmatched: string; readonly meant?: Meant };

/** A selector that was probably meant, and a machine that it matches. */
interface Meant {
  readonly selector: string;
  readonly machine: Machine;
}

/**
 * Parts what was typed after `halt`. The first word is the selector where it matches a machine. Where it looks
 * like one and matches none, the person has to be asked rather than the whole fleet halted; otherwise all of it
 * is the reason, and every machine is meant.
 *
 * @throws InputError that says what to type, where it can only be a selector
 */
export function readHalt(text: string, fleet: Fleet): HaltWords {
  const machines = [...fleet.machines.values()];
  const [first = '', ...rest] = text.split(' ');
  if (/^[&,]/.test(rest[0] ?? '')) {
    throw new InputError(`Write the selector without blanks: \`role=web&env=prod\`.${haltAllHint(text)}`);
  }
  if (matchesAny(first, machines)) {
    const reason = rest.join(' ');
    if (reason !== '') return { selector: first, reason };
    throw new InputError(
      `Why shall \`${first}\` be halted? Type the reason too: \`/fleet halt ${first} <reason>\`.`,
    );
  }
  const meant = nearTo(first.replace(quotesAtEnds, ''), machines);
  if (meant !== undefined) return { unmatched: first, meant };
  return selectorLike.test(first) ? { unmatched: first } : { selector: selectAll, reason: text };
}

/** How to say that all of it is the reason. */
export function haltAllHint(text: string): string {
  return ` To halt every machine, type \`/fleet halt ${selectAll} ${text}\`.`;
}

/**
 * What the word probably means as a selector: a name, a role or a label's value that it is; a name or a role that it is
 * one slip away from (labels hold words of every kind); and where it cannot be a word, whatever name is nearest.
 */
function nearTo(word: string, machines: readonly Machine[]): Meant | undefined {
  const exact = new Map<string, Meant>();
  const names = new Map<string, Meant>();
  for (const machine of machines) {
    for (const [key, value] of Object.entries(machine.labels)) {
      exact.set(value.toLowerCase(), { selector: `${key}=${value}`, machine });
    }
    names.set(machine.role.toLowerCase(), { selector: `role=${machine.role}`, machine });
  }
  for (const machine of machines) names.set(machine.name, { selector: machine.name, machine });
  const typed = word.toLowerCase();
  const found = names.get(typed) ?? exact.get(typed);
  if (found !== undefined || typed.length < shortestSlip) return found;
  const near = selectorLike.test(typed)
    ? suggest(typed, names.keys())
    : [...names.keys()].find((name) => isNear(typed, name));
  return names.get(near ?? '');
}

function matchesAny(selector: string, machines: readonly Machine[]): boolean {
  return (
    selector.length <= typedMaxCharacters &&
    selectorProblem(selector) === undefined &&
    machines.some(parseSelector(selector))
  );
}
