import { codeSpan, prose, usageSpan } from './safe-text.ts';
import { compose, context, doubtLine, header, section, type View } from './view.ts';

const usageChars = 120;
const summaryChars = 300;
const selectorHint =
  'A selector is a machine (`web-01`), a pattern (`web-*`), a label (`env=prod`) or several of them with commas.';

/** The commands that the asker may use; `doubt` says why there may be more. */
export function helpView(
  commands: readonly { readonly usage: string; readonly summary: string }[],
  doubt: string | undefined,
): View {
  return compose({
    text: 'What you can ask of the fleet',
    head: [header('What you can ask of the fleet')],
    body: commands.map(
      ({ usage, summary }) => `${usageSpan(`/fleet ${usage}`, usageChars)}  ${prose(summary, summaryChars)}`,
    ),
    tail: [context([selectorHint]), context(['You see only what you may do.']), ...doubtLine(doubt)],
    more: (count) => `and ${count} more`,
  }).view;
}

/** For a person who may do nothing. */
export function nothingAllowedView(userId: string): View {
  const text = `You may not do anything with this fleet yet. Ask whoever keeps the fleet file to add ${codeSpan(userId, 40)} to its access table.`;
  return { text, blocks: [section(text)] };
}
