import { expect, it } from 'vitest';
import { auditView } from '../../../src/bot/views/audit.ts';
import { auditItems, tallyDeeds } from '../../../src/fleet/audit/audit-items.ts';
import { Deeds } from '../../../src/fleet/audit/deeds.ts';
import { accepted, ann, traceOf } from '../../fleet/audit/facts.ts';

function linesWith(url: string): string {
  const deeds = new Deeds();
  deeds.add({ position: '5-0', entry: accepted(1, 'web-01', 5) });
  deeds.add({ position: '6-0', entry: { kind: 'campaign.ended', at: 6, by: ann, campaign: 'c-1' } });
  const view = auditView({
    ...{ machines: 'all machines', person: undefined, period: { words: 'today', from: 0 }, notes: [] },
    ...{ items: auditItems(deeds.all()), tally: tallyDeeds(deeds.all()) },
    linkTo: (what) => ({ url: `${url}${'trace' in what ? what.trace.traceId : Object.values(what).join()}` }),
  });
  return JSON.stringify(view.blocks);
}

it('links every run to its trace, and a campaign to its traces', () => {
  const lines = linesWith('https://mlflow.example/?a=1&b=');
  expect(lines).toContain(`<https://mlflow.example/?a=1&amp;b=${traceOf(1)}|trace>`);
  expect(lines).toContain('<https://mlflow.example/?a=1&amp;b=c-1|traces>');
});

it.each([
  'https://mlflow.example/|',
  'https://mlflow.example/>',
  `https://mlflow.example/${'x'.repeat(700)}`,
])('leaves out a link that would break its line: %s', (url) => {
  expect(linesWith(url)).not.toContain('|trace>');
});
