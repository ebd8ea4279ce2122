import { describe, expect, it } from 'vitest';
import { decide } from '../../src/fleet/access.ts';
import type { Risk } from '../../src/fleet/action.ts';
import type { Verb } from '../../src/fleet/fleet.ts';
import { loadFleet, readFleet } from '../../src/fleet/load-fleet.ts';
import { alertMatcher } from '../../src/fleet/match-alert.ts';
import { createRulesModel } from '../../src/sandbox/agent/rules-model.ts';
import { sandboxAlertName } from '../../src/sandbox/alert-webhook.ts';
import { newKeyPair } from '../../src/sandbox/key-pair.ts';
import { sandboxFleetFile } from '../../src/sandbox/sandbox-fleet.ts';
import { workspace } from '../../src/sandbox/workspace.ts';

const application = { logFile: '/sandbox/app.log', configFile: '/sandbox/app.conf' };
const text = sandboxFleetFile({ port: 22, hostKey: newKeyPair().publicKey }, application);
const expectations = (file: string) => loadFleet(file, 'fleet.yaml').machines.get('sandbox-01')?.expect;

describe("the sandbox's fleet file", () => {
  it('is valid, and tells that it may be edited', () => {
    expect(text).toMatch(/^# .*Edit it while the sandbox runs/);
    expect(expectations(text)?.disk.warnUsedPercent).toBeGreaterThan(1);
  });

  it('makes the disk warn once the suggested line is no comment any more', () => {
    expect(expectations(text.replace('#expect', 'expect'))?.disk.warnUsedPercent).toBe(1);
  });

  it('has the SRE ask and somebody else approve, and nobody for what is destructive', () => {
    const { fleet, warnings } = readFleet(text, 'fleet.yaml');
    expect(warnings).toEqual([]);
    const machine = fleet.machines.get('sandbox-01');
    if (machine === undefined) throw new Error('the sandbox has lost its machine');
    const may = (person: { readonly id: string }, verb: Verb, risk: Risk) =>
      decide(fleet, { userId: person.id, excluded: false, groupIds: [] }, verb, machine, risk).allowed;
    expect(may(workspace.sre, 'act', 'disruptive')).toBe(true);
    expect(may(workspace.approver, 'approve', 'disruptive')).toBe(true);
    expect(may(workspace.approver, 'act', 'reversible')).toBe(false);
    expect(may(workspace.visitor, 'approve', 'reversible')).toBe(false);
    for (const person of [workspace.sre, workspace.approver]) {
      expect(may(person, 'approve', 'destructive')).toBe(false);
    }
  });

  it('has a price for what answers in place of a model, and a budget', () => {
    const { prices, budgets } = loadFleet(text, 'fleet.yaml');
    expect(prices).toHaveProperty(createRulesModel().name);
    expect(budgets).toHaveLength(1);
  });

  it('leads its alert to the check of the disk', () => {
    const match = alertMatcher(loadFleet(text, 'fleet.yaml'));
    const alert = {
      ...({ fingerprint: 'x', source: 'alertmanager', status: 'firing', text: '' } as const),
      ...{ name: sandboxAlertName, labels: { instance: 'sandbox-01:9100' } },
    };
    expect(match(alert).matches).toMatchObject([{ machine: 'sandbox-01', check: 'disk' }]);
  });

  it('has actions that are taken back by one another, and one that says why it cannot be', () => {
    const { actions } = loadFleet(text, 'fleet.yaml');
    expect(actions.get('reports-off')?.undo?.action).toBe('reports-on');
    expect(actions.get('reports-on')?.undo?.action).toBe('reports-off');
    expect(actions.get('trim-log')).toMatchObject({ noUndo: expect.any(String), risk: 'disruptive' });
  });
});
