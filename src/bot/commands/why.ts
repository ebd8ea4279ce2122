import { dependsOnRisk } from '../../fleet/access.ts';
import type { Risk } from '../../fleet/action.ts';
import { actionsOf } from '../../fleet/actions-of.ts';
import { InputError } from '../../fleet/errors.ts';
import { type Fleet, type Verb, verbs } from '../../fleet/fleet.ts';
import type { Machine } from '../../fleet/machine.ts';
import { suggest } from '../../fleet/suggest.ts';
import { findVisibleMachine } from '../find-machine.ts';
import { Asker } from '../people.ts';
import { readPerson } from '../read-person.ts';
import { whyView } from '../views/why.ts';
import { defineCommand, usageError, wordsOf } from './command.ts';

const usage = 'why <person> <verb> <machine> [action]';

/** Explains, rule by rule, what a person may do. */
export const why = defineCommand({
  name: 'why',
  usage,
  summary: 'why somebody may do something or may not; `me` is you',
  verb: 'view',
  parse(args) {
    const [person, verb, machine, action, ...more] = wordsOf(args);
    if (person === undefined || verb === undefined || machine === undefined || more.length > 0) {
      throw usageError('Who, what, and on which machine?', usage);
    }
    return { person: personOf(person), verb: verbOf(verb), machine, action };
  },
  async run({ person, verb, machine: name, action }, { fleet, asker, services }) {
    const machine = await findVisibleMachine(name, fleet, asker);
    const risk = action === undefined ? undefined : riskOf(action, verb, machine, fleet);
    const userId = person === 'me' ? asker.userId : person;
    const about = new Asker(userId, asker.teamId, fleet, services.directory);
    const rules = await about.explain(verb, machine, risk);
    return whyView({ userId, verb, machine: machine.name, action }, rules);
  },
});

function personOf(word: string): string {
  const person = readPerson(word);
  if (person !== undefined) return person;
  throw usageError(`\`${word}\` is nobody. Mention the person, or write their id or \`me\`.`, usage);
}

function verbOf(word: string): Verb {
  const verb = verbs.find((each) => each === word.toLowerCase());
  if (verb !== undefined) return verb;
  const meant = suggest(word, verbs);
  const hint = meant === undefined ? `There are: ${verbs.join(', ')}.` : `Did you mean \`${meant}\`?`;
  throw new InputError(`There is no verb \`${word}\`. ${hint}`);
}

function riskOf(name: string, verb: Verb, machine: Machine, fleet: Fleet): Risk {
  if (!dependsOnRisk(verb)) {
    throw usageError(`\`${verb}\` does not depend on an action.`, 'why <person> <verb> <machine>');
  }
  const known = actionsOf(fleet, machine);
  const action = known.get(name);
  if (action !== undefined) return action.risk;
  const meant = suggest(name, known.keys());
  const hint = meant === undefined ? '' : ` Did you mean \`${meant}\`?`;
  throw new InputError(`\`${machine.name}\` has no action \`${name}\`.${hint}`);
}
