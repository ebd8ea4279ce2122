import { type AuditFormat, auditPieces } from '../../fleet/audit/audit-files.ts';
import { auditItems, tallyDeeds } from '../../fleet/audit/audit-items.ts';
import { auditRow } from '../../fleet/audit/audit-row.ts';
import type { Deed } from '../../fleet/audit/deeds.ts';
import { formatCount, formatMoment } from '../../fleet/format.ts';
import { inTurns } from '../in-turns.ts';
import { type Audited, readAudit } from '../read-audit.ts';
import { sendRows } from '../send-rows.ts';
import { type AuditAnswer, auditFileView, auditView } from '../views/audit.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { readFileFlags, readScope } from './read-scope.ts';

const usage = 'audit [selector] [person] [period] [--csv | --json]';
/** Where no period is given. */
const defaultDays = 1;
const searchHint = '`fleetbot ledger search` looks through what was exported.';

/** Answers from the ledger who did what, when, where, with what result. */
export const audit = defineCommand({
  name: 'audit',
  usage,
  summary: 'who did what, when, where, with what result; `--csv` or `--json` as a file',
  verb: 'view',
  parse: (args) => readFileFlags(args, usage),
  async run({ words, format }, context) {
    const question = readScope(words, { usage, days: defaultDays }, context);
    const { fleet, asker, services } = context;
    const audited = await readAudit(question, fleet, asker, services);
    const { person, period, selector } = question;
    const doubt = await asker.doubt();
    const answer = {
      ...{ machines: selector === undefined ? 'all machines' : `\`${selector}\``, person, period },
      tally: tallyDeeds(audited.deeds),
      notes: [...notesOn(audited), ...(doubt === undefined ? [] : [doubt])],
    };
    if (format !== undefined && audited.deeds.length > 0) return sendFile(format, answer, audited, context);
    return auditView({ ...answer, items: auditItems(audited.deeds), linkTo: services.linkTo });
  },
});

/** What the answer does not hold. */
function notesOn({ begins, readBackTo, endsKnown, unreadable }: Audited): readonly string[] {
  return [
    ...(readBackTo === undefined
      ? []
      : [
          `There is more than one answer reads: this goes back to ${formatMoment(readBackTo)}. Ask for a shorter period; ${searchHint}`,
        ]),
    ...(begins === undefined
      ? []
      : [`What is kept at hand begins at ${formatMoment(begins)}. Before that, ${searchHint}`]),
    ...(endsKnown ? [] : ['What is not over here may have ended after what was read.']),
    ...(unreadable === 0
      ? []
      : [
          `${formatCount(unreadable)} entries of the ledger are of another version of fleetbot and are not shown.`,
        ]),
  ];
}

async function sendFile(
  format: AuditFormat,
  answer: Omit<AuditAnswer, 'items' | 'linkTo'>,
  { deeds }: Audited,
  { asker, services }: CommandContext,
) {
  const asked = new Date(services.clock()).toISOString();
  const file = {
    name: `audit-${asked.slice(0, 19).replaceAll(':', '-')}`,
    title: `Audit, ${answer.period.words}`,
    content: await textOf(deeds, format),
    ...{ format, rows: deeds.length },
  };
  return sendRows(asker.userId, auditFileView(answer), file, services);
}

async function textOf(deeds: readonly Deed[], format: AuditFormat): Promise<string> {
  const pieces: string[] = [];
  for await (const piece of inTurns(auditPieces(deeds.values().map(auditRow), format))) pieces.push(piece);
  return pieces.join('');
}
