import type { Machine } from '../fleet/machine.ts';
import type { Request } from '../fleet/request.ts';
import type { Gathered } from './gathered.ts';

/**
 * Whether the agent is to look deeper. A question always needs it; a check as the machine's `diagnose` says,
 * `by-request` meaning that a person's request always wants it, and any other one on a finding. An action has no part for it. Without evidence there
 * is nothing to diagnose, and a machine that refused or could not be asked is left alone.
 */
export function wantsAgent(machine: Machine, request: Request, gathered: Gathered): boolean {
  if (gathered.failure || request.task.kind === 'act') return false;
  if (request.task.kind === 'ask') return true;
  switch (machine.agent.diagnose) {
    case 'always':
      return true;
    case 'by-request':
      return request.requester.kind === 'person' || gathered.verdict !== 'ok';
    case 'on-finding':
      return gathered.verdict !== 'ok';
    case 'never':
      return false;
  }
}
