import { formatMoment } from '../../fleet/format.ts';
import type { Machine } from '../../fleet/machine.ts';
import type { Silence } from '../../fleet/silence.ts';
import type { WindowEntry } from '../../fleet/time-rules.ts';
import { listed } from '../names-of.ts';
import { codeSpan, notice, prose } from './safe-text.ts';
import { silenceWords } from './silence-words.ts';
import { compose, doubtLine, header, section, type View } from './view.ts';

const machinesChars = 600;
const reasonChars = 200;

/** The machines of a silence or window that the reader may view; `all`: there are no others. */
export interface ReaderMachines {
  readonly machines: readonly Machine[];
  readonly all: boolean;
}

/** A window that is not open. */
export interface NextWindow extends ReaderMachines {
  readonly window: WindowEntry;
  readonly begin: number;
}

function machinesWords({ machines, all }: ReaderMachines): string {
  return notice(`${listed(machines)}${all ? '' : ' and machines that you may not view'}`, machinesChars);
}

function nextLine(next: NextWindow): string {
  const { name, minutes, reason } = next.window;
  const begin = `begins ${formatMoment(next.begin)} for ${minutes} min`;
  return `• ${codeSpan(name, 64)} ${begin}: ${machinesWords(next)}: ${prose(reason, reasonChars)}`;
}

/** The silences and windows that hold for machines that the reader may view, and the next windows. */
export function silenceListView(options: {
  readonly holding: readonly (ReaderMachines & { readonly silence: Silence })[];
  readonly next: readonly NextWindow[];
  readonly doubt: string | undefined;
}): View {
  const { holding, next, doubt } = options;
  const title = 'Silences';
  return compose({
    text: title,
    head: [
      header(title),
      ...(holding.length === 0 ? [section('Nothing that you may view is silenced.')] : []),
    ],
    body: [
      ...holding.map((each) => `• :mute: ${machinesWords(each)} ${silenceWords(each.silence)}`),
      ...(next.length > 0 ? ['*Next maintenance windows*', ...next.map(nextLine)] : []),
    ],
    tail: doubtLine(doubt),
    more: (count) => `and ${count} more`,
  }).view;
}
