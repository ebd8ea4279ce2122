import { periodExamples } from '../../fleet/period.ts';
import { codeSpan, notice, usageSpan } from './safe-text.ts';
import { compose, context, doubtLine, header, section, type View } from './view.ts';

const usageChars = 120;
const summaryChars = 300;
const shownChecks = 20;
const checkChars = 64;
// The ampersand stands outside the code: not every client shows an escaped one inside.
const selectorHint =
  'Selectors: a machine (`rhel-01`), `all`, `rhel-*`, `role=web`, `site=ams`; join them with `,` (or) and &amp; (and), `!` is not.';

const periodsHint = `Periods: ${periodExamples}.`;

function checksHint(names: readonly string[]): string {
  const shown = names.slice(0, shownChecks).map((name) => codeSpan(name, checkChars));
  const rest = names.length - shown.length;
  return `Checks: ${shown.join(' ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

/** The commands that the asker may use, and the checks of their machines; `doubt` says why there may be more. */
export function helpView(
  commands: readonly { readonly usage: string; readonly summary: string }[],
  checks: readonly string[],
  doubt: string | undefined,
): View {
  return compose({
    text: 'What you can ask of the fleet',
    head: [header('What you can ask of the fleet')],
    body: commands.map(
      ({ usage, summary }) => `${usageSpan(`/fleet ${usage}`, usageChars)}  ${notice(summary, summaryChars)}`,
    ),
    tail: [
      context([selectorHint]),
      ...(commands.some(({ usage }) => usage.includes('[period]')) ? [context([periodsHint])] : []),
      ...(checks.length > 0 ? [context([checksHint(checks)])] : []),
      context(['You see only what you may do.']),
      ...doubtLine(doubt),
    ],
    more: (count) => `and ${count} more`,
  }).view;
}

/** For a person who may do nothing. */
export function nothingAllowedView(userId: string): View {
  const text = `You may not do anything with this fleet yet. Ask whoever keeps the fleet file to add ${codeSpan(userId, 40)} to its access table.`;
  return { text, blocks: [section(text)] };
}
