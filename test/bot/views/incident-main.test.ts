import { describe, expect, it } from 'vitest';
import { incidentClosedView, incidentMainView } from '../../../src/bot/views/incident-main.ts';
import type { Incident } from '../../../src/fleet/incident.ts';
import { sampleAlert, sampleIncident } from '../../support/sample-incident.ts';
import { acceptedAt } from '../../support/sample-run.ts';

const shown = (changes: Partial<Incident> = {}) => {
  const { blocks } = incidentMainView(sampleIncident(changes), { url: 'https://mlflow.example/#/i-1' });
  return blocks
    .flatMap((block) => {
      if (block.type === 'section') return [block.text?.text];
      if (block.type === 'context') return block.elements.map((each) => ('text' in each ? each.text : ''));
      if (block.type === 'actions') return block.elements.map((each) => `[${each.type} ${each.action_id}]`);
      return [];
    })
    .join('\n');
};
const looked = { machine: 'web-01', check: 'disk', at: acceptedAt, run: 'r-000000000001' };

describe('the message of an incident', () => {
  it('says what fires, what the alerts say, and how many messages stand behind it', () => {
    const text = shown();
    expect(text).toContain('*DiskAlmostFull* · 2 of 2 alerts firing, 0 resolved');
    expect(text).toContain('> web-02: /var on web-02 is 93% full');
    expect(text).toContain('told 2 times by alertmanager');
    expect(text).toContain('gathering alerts before machines are looked at');
  });

  it('does not repeat what stands right above it in the monitoring’s own message', () => {
    expect(shown({ threadTs: '1.1' })).not.toContain('93% full');
  });

  it('names the run of each machine, the newest where there were several, and who asked for it', () => {
    const text = shown({
      investigations: [looked, { ...looked, run: 'r-000000000002', by: 'U0ANN' }],
    });
    expect(text).toContain(':mag: *web-01* · check disk · `r-000000000002` asked for by <@U0ANN>');
    expect(text).not.toContain('r-000000000001');
    expect(text).toContain('the answers are in this thread');
    expect(text).toContain('[button open-trace]');
    expect(text).not.toContain('gathering');
  });

  it('says why a machine is not looked at, and how many more are not', () => {
    const heldBack = 'checked 4 min ago in run `r-000000000009`';
    const text = shown({
      investigations: [{ machine: 'web-02', check: 'disk', at: acceptedAt, heldBack }],
      notInvestigated: 37,
    });
    expect(text).toContain(
      '*web-02* · check disk · not looked at: checked 4 min ago in run `r-000000000009`',
    );
    expect(text).toContain('37 more machines not looked at: `alerts.machinesPerIncident`');
    expect(text).not.toContain('open-trace');
  });

  it('says once why alerts are not looked into, with what to do, and counts those that it does not keep', () => {
    const problem =
      'It has none of the labels machine, host. Add the label that has it to alerts.machineLabels.';
    const unmatched = ['a', 'b', 'c'].map((name) => {
      const { machine: _machine, check: _check, ...alert } = sampleAlert(name, { problem });
      return alert;
    });
    const text = shown({
      alerts: unmatched,
      counts: { alerts: 60, firing: 60, notifications: 60, unmatched: 60 },
    });
    expect(text.split('It has none of the labels')).toHaveLength(2);
    expect(text).toContain('3 alerts nobody looks into: It has none');
    expect(text).toContain('57 more alerts nobody looks into');
    expect(text).not.toContain('investigate-again');
  });

  it('of a storm says how many stand behind each kind', () => {
    const text = shown({
      storm: true,
      title: 'Alert storm',
      counts: { alerts: 10_000, firing: 9_000, notifications: 12_345, unmatched: 0 },
      kinds: [
        { name: 'DiskAlmostFull', alerts: 4_000 },
        { name: 'HighLoad', alerts: 3_000 },
      ],
    });
    expect(text).toContain('9,000 of 10,000 alerts firing, 1,000 resolved');
    expect(text).toContain('10,000 alerts by kind: DiskAlmostFull 4,000 · HighLoad 3,000 · others 3,000');
    expect(text).toContain('told 12,345 times');
  });

  it('keeps foreign text from formatting, linking or calling anybody', () => {
    const evil = '<!channel> *bold* `code` <https://evil.example|click> @here';
    const text = shown({
      title: evil,
      source: evil,
      alerts: [sampleAlert('web-01', { name: evil, text: evil, problem: evil })],
      counts: { alerts: 1, firing: 1, notifications: 1, unmatched: 1 },
      kinds: [
        { name: evil, alerts: 1 },
        { name: 'x', alerts: 1 },
      ],
    });
    expect(text).not.toMatch(/<!channel>|<https|\*bold\*|`code`|@here/);
  });

  it('can be investigated again, also when it is over', () => {
    expect(shown()).toContain('[button investigate-again]');
    expect(shown({ closedAt: acceptedAt + 60_000 })).toContain('[button investigate-again]');
  });
});

describe('the end of an incident', () => {
  const counts = { alerts: 2, firing: 0, notifications: 5, unmatched: 0 };
  const closedAt = acceptedAt + 12 * 60_000;

  it('says that all is resolved, after how long, and how many machines were looked at', () => {
    const closed = sampleIncident({ counts, closedAt, investigations: [looked] });
    expect(incidentClosedView(closed)?.text).toContain('*DiskAlmostFull* is resolved after 12 min 0 s');
    expect(JSON.stringify(incidentClosedView(closed))).toContain(
      '2 alerts, told 5 times · 1 machine looked at',
    );
    expect(shown({ counts, closedAt })).toContain('resolved: all 2 alerts');
  });

  it('says honestly that it is only told no more', () => {
    const silent = sampleIncident({ counts: { ...counts, firing: 1 }, closedAt });
    expect(incidentClosedView(silent)?.text).toContain('told no more, and was not resolved');
    expect(shown({ counts: { ...counts, firing: 1 }, closedAt })).toContain('1 of 2 alerts never resolved');
  });

  it('says that nobody looked where it was over before', () => {
    expect(shown({ counts, closedAt })).toContain('no machine was looked at: it was over before');
  });

  it('is not told while it lasts', () => {
    expect(incidentClosedView(sampleIncident())).toBeUndefined();
  });
});
