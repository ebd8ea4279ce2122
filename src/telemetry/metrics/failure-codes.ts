import type {
  AgentErrorCode,
  MachineErrorCode,
  RunFailureCode,
  SignerErrorCode,
} from '../../fleet/errors.ts';

type Code = MachineErrorCode | AgentErrorCode | SignerErrorCode | RunFailureCode | 'internal';

/** Every code that the failure of a run can have; the compiler sees to it that none is missing. */
const codes: Readonly<Record<Code, true>> = {
  unreachable: true,
  'host-key-changed': true,
  'key-refused': true,
  'verb-refused': true,
  'old-fence': true,
  locked: true,
  'unit-failed': true,
  protocol: true,
  timeout: true,
  'agent-not-ready': true,
  'agent-refused': true,
  'agent-failed': true,
  'agent-lost': true,
  'agent-timeout': true,
  'agent-looped': true,
  'agent-silent': true,
  'agent-interrupted': true,
  'machine-unknown': true,
  'check-unknown': true,
  'action-unknown': true,
  'action-refused': true,
  'action-not-begun': true,
  'not-sealed': true,
  'signer-refused': true,
  'signer-away': true,
  'policy-drift': true,
  'inertness-unknown': true,
  'run-timeout': true,
  'token-limit': true,
  'cost-limit': true,
  internal: true,
};

export const failureCodes: readonly string[] = Object.keys(codes);
