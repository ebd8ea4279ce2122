import type { Verb } from '../../fleet/fleet.ts';
import { codeSpan, mention, notice, prose } from './safe-text.ts';
import { compose, section, type View } from './view.ts';

const ruleChars = 400;

/** A decision of the access table, explained rule by rule to the one who asked. */
export function whyView(
  asked: {
    readonly userId: string;
    readonly verb: Verb;
    readonly machine: string;
    readonly action: string | undefined;
  },
  rules: readonly string[],
): View {
  const { userId, verb, machine, action } = asked;
  const what = action === undefined ? '' : ` ${codeSpan(action, 64)}`;
  const title = `May ${mention(userId)} \`${verb}\`${what} on *${prose(machine, 64)}*?`;
  return compose({
    text: title,
    head: [section(title)],
    body: rules.map((rule) => `• ${notice(rule, ruleChars)}`),
    tail: [],
    more: (count) => `and ${count} more`,
  }).view;
}
