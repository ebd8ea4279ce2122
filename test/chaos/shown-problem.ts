import { isDeepStrictEqual } from 'node:util';
import { campaignMainView } from '../../src/bot/views/campaign-main.ts';
import { runMainView } from '../../src/bot/views/run-main.ts';
import type { View } from '../../src/bot/views/view.ts';
import { alikeOf } from '../../src/fleet/alike.ts';
import type { FakeMessage } from '../support/fake-workspace.ts';
import type { Records } from './records.ts';

/** What is wrong with the main message of a run or a campaign; undefined where it shows the end of its record. */
export function shownProblem(id: string, records: Records, message: FakeMessage): string | undefined {
  const wanted = wantedView(id, records);
  if (wanted === undefined) return 'has no record';
  const shown = JSON.parse(JSON.stringify({ text: message.text, blocks: message.blocks }));
  const { text, blocks } = JSON.parse(JSON.stringify(wanted));
  return isDeepStrictEqual(shown, { text, blocks })
    ? undefined
    : `is shown as "${message.text}", not as "${text}"`;
}

function wantedView(id: string, { runs, campaigns }: Records): View | undefined {
  const run = runs.get(id);
  if (run !== undefined) return runMainView(run, { traceLink: { missing: noTraces } });
  const found = campaigns.get(id);
  if (found === undefined) return undefined;
  const members = found.campaign.machines.map((machine) => {
    const member = found.runIds
      .map((runId) => runs.get(runId))
      .find((each) => each?.request.machine === machine);
    return {
      machine,
      runId: member?.id ?? '',
      state: member?.state ?? 'queued',
      ...(member?.verdict && { verdict: member.verdict }),
      inertnessUnknown: member?.inertness === 'unknown',
      alike: member === undefined ? '' : alikeOf(member),
    };
  });
  return campaignMainView(found.campaign, members, {
    ...{ examples: runs, now: 0, halted: new Map(), unmentioned: 0 },
    traceLink: { missing: noTraces },
  });
}

/** What the link to a trace says where no MLflow is set. */
const noTraces = 'MLflow is not configured';
