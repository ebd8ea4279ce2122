import type { Price } from '../../../../src/fleet/price.ts';
import { approvers, onCall, requester } from '../../approvals/parts/people.ts';
import { siteChecks, siteEntry, siteRules } from '../../approvals/parts/site.ts';

/** The first one's checks are diagnosed by its agent; the second one's never. */
export const names = ['audit-01', 'audit-02'] as const;

/** Somebody who asks beside the requester, and who may approve. */
export const other = 'U0BEA';

/** A file that agents may read, in which somebody left secrets. */
export const secretFile = '/srv/app/settings';

/** Of the model of both machines. */
export const price = {
  inputUsdPerMillion: 300,
  cacheReadUsdPerMillion: 30,
  outputUsdPerMillion: 1_500,
} satisfies Price;

const { agent, ...site } = siteEntry;

export function machineEntry(name: (typeof names)[number]): Readonly<Record<string, unknown>> {
  return {
    ...site,
    customChecks: {
      ...siteChecks,
      settings: {
        summary: 'The settings of the application',
        command: ['cat', secretFile],
        mustMatch: 'region',
      },
    },
    agent: {
      ...(name === 'audit-01' ? {} : agent),
      readPaths: ['built-in', secretFile],
    },
  };
}

export const rules = {
  ...siteRules,
  prices: { stub: price },
  approvals: { ...siteRules.approvals, onCall: [onCall] },
  access: [
    { people: [requester], machines: 'all', verbs: 'all', upTo: 'destructive' },
    { people: approvers, machines: 'all', verbs: ['view', 'approve'], upTo: 'destructive' },
    { people: [other], machines: 'all', verbs: ['check'] },
  ],
};
