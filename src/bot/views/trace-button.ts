import type { Button } from '@slack/types';
import { openTraceActionId } from '../action-ids.ts';
import type { TraceLink } from '../ports.ts';
import { slackLimits } from './limits.ts';
import { prose } from './safe-text.ts';
import { button } from './view.ts';

const reasonChars = 200;

const fitsButton = (link: { url: string }) => link.url.length <= slackLimits.buttonUrlChars;

/** The button that opens the trace, where there is one. */
export function traceButton(link: TraceLink): readonly Button[] {
  return 'url' in link && fitsButton(link) ? [button('Open trace', openTraceActionId, link)] : [];
}

/** The button that opens the list of all traces that belong to something, where there is one. */
export function tracesButton(link: TraceLink): readonly Button[] {
  return 'url' in link && fitsButton(link) ? [button('Open traces', openTraceActionId, link)] : [];
}

/** Why there is no such button, for the small print. */
export function missingTrace(link: TraceLink): readonly string[] {
  if ('missing' in link) return [`no trace link: ${prose(link.missing, reasonChars)}`];
  return fitsButton(link) ? [] : ['no trace link: its address is too long for a button'];
}
