import type { SlackPerson } from '../../../../src/sandbox/local-slack.ts';
import { workspace } from '../../../../src/sandbox/workspace.ts';

/** Who asks. */
export const requester = workspace.sre.id;

/** Those who may approve beside the sandbox's own approver. */
export const colleagues: readonly SlackPerson[] = [
  { id: 'U0BEA', name: 'bea', realName: 'Bea' },
  { id: 'U0CEM', name: 'cem', realName: 'Cem' },
  { id: 'U0DIA', name: 'dia', realName: 'Dia' },
  { id: 'U0EVA', name: 'eva', realName: 'Eva' },
];

/** Five people who may approve what the requester asks for. */
export const approvers: readonly string[] = [workspace.approver.id, ...colleagues.map(({ id }) => id)];

/** Is told when people escalate, and may approve nothing. */
export const onCall = workspace.visitor.id;
