import { formatMoment } from '../../fleet/format.ts';
import type { FindingKind, Notice } from '../../fleet/notice.ts';
import { codeSpan, prose } from './safe-text.ts';
import { compose, context, section, type View } from './view.ts';

const textChars = 2_000;

const headlines: Readonly<Record<FindingKind, string>> = {
  'stray-stopped': ':ghost: *A stray agent was stopped*',
  'stray-unstoppable': ':rotating_light: *A stray agent could NOT be stopped*',
  'quarantine-lifted': ':white_check_mark: *No longer quarantined*',
  'locked-late': ':octagonal_sign: *Locked, because it is halted*',
  'foreign-lock': ':lock: *Locked, but not by a halt that holds*',
};

/** `block_id` of a notice, by which recovery finds it. */
export const findingNoticeBlockId = (id: string) => `notice:${id}:main`;

/** A sentence of the reconciler in a machine's channel. */
export function findingNoticeView({ id, kind, machine, text, runId, at }: Notice): View {
  const headline = `${headlines[kind]} · *${prose(machine, 64)}*`;
  return compose({
    text: `${headline}: ${prose(text, 200)}`,
    head: [section(`${headline}\n${prose(text, textChars)}`, findingNoticeBlockId(id))],
    body: [],
    tail: [
      context([
        `found at ${formatMoment(at)}`,
        ...(runId === undefined ? [] : [`it said that it belonged to run ${codeSpan(runId, 64)}`]),
      ]),
    ],
    more: () => '',
  }).view;
}
