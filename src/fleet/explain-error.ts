import {
  type AgentErrorCode,
  type Failure,
  type MachineErrorCode,
  type MlflowErrorCode,
  type RunFailureCode,
  type SignerErrorCode,
  toFailure,
} from './errors.ts';

type Code =
  | 'fleet-file-invalid'
  | 'settings-invalid'
  | 'input-invalid'
  | 'not-allowed'
  | 'limit-exceeded'
  | 'store-unavailable'
  | 'store-unsafe'
  | 'stale-fence'
  | 'internal'
  | MachineErrorCode
  | AgentErrorCode
  | SignerErrorCode
  | MlflowErrorCode
  | RunFailureCode;

/** Errors whose own message is written for the person who asked. */
const ownWords: ReadonlySet<string> = new Set<Code>([
  'input-invalid',
  'not-allowed',
  'limit-exceeded',
  'locked',
  'machine-unknown',
  'check-unknown',
  'action-unknown',
  'action-refused',
  'action-not-begun',
  'not-sealed',
  'signer-refused',
  'signer-away',
  'policy-drift',
  'inertness-unknown',
  'run-timeout',
  'token-limit',
  'cost-limit',
]);

const explanations: Readonly<Record<Code, string>> = {
  'fleet-file-invalid':
    'The fleet file has errors, so it was not taken up. Ask an operator to run `fleetbot validate` on it.',
  'settings-invalid': 'The bot is not set up correctly. Ask an operator to look at its log.',
  'input-invalid': 'That could not be understood. Type `/fleet help` to see what can be asked.',
  'not-allowed': 'You are not allowed to do this. Ask whoever maintains the fleet file for access.',
  'limit-exceeded': 'That is more than the limits allow. Wait a minute, then ask again.',
  'store-unavailable':
    'The bot could not reach its store in time. Where you asked for something to be done, it is not certain that this was recorded: look at `/fleet runs`, once it answers again, before you ask again.',
  'store-unsafe':
    "The bot's store would lose what it is given, so nothing is accepted. Ask an operator to correct the settings of Redis that the log names.",
  'stale-fence':
    'Another worker has taken this machine over meanwhile. Look at `/fleet runs` for what it does.',
  unreachable:
    'The machine could not be reached over SSH, so nothing is known of its state now. Check that it is up and on the network, then ask again.',
  'host-key-changed':
    'The machine showed another host key than the one in the fleet file, so nothing was sent to it. It was reinstalled, or something stands in its place: an operator has to compare the keys before the fleet file is changed.',
  'key-refused':
    "The machine refused the bot's SSH key. Ask an operator to install the key on the machine, or to correct the SSH user in the fleet file.",
  'verb-refused':
    'The machine does not allow this. Ask an operator to compare what is installed on it with the fleet file.',
  'old-fence':
    'The machine has meanwhile been taken over by a newer turn, so this one was refused. Look at `/fleet runs` for what it does, then ask again.',
  locked: 'The machine is locked. It does nothing until an operator unlocks it.',
  'unit-failed':
    "systemd could not start or stop the agent's service. Ask an operator to look at the service's journal on the machine.",
  protocol:
    'The machine answered in a way that the bot does not understand. Ask an operator to install the same version on both sides.',
  timeout:
    'The machine did not answer in time. It may be overloaded: ask again, or ask an operator to look at it.',
  'agent-not-ready':
    "The agent was started but did not become ready in time. Ask an operator to look at the agent's journal on the machine.",
  'agent-refused':
    'The agent refused the connection. Ask an operator to compare its version and its agent id with the fleet file.',
  'agent-failed': "The agent ended its task with an error. Ask again; if it stays, look at the run's trace.",
  'agent-lost':
    "The connection to the agent broke during the task. Ask again; if it stays, look at the run's trace.",
  'agent-interrupted':
    'The bot was stopped each time while the agent was at work, so there is no comment of the agent. Ask again.',
  'agent-timeout':
    'The agent took longer than it may and was stopped. Ask something narrower, or ask an operator to raise `limits.taskTimeoutMs`.',
  'agent-looped':
    "The agent made more tool calls than it may and was stopped. Ask something narrower, or look at the run's trace.",
  'agent-silent': "The agent ended without an answer. Ask again; if it stays, look at the run's trace.",
  'machine-unknown': 'The machine is no longer in the fleet file. Type `/fleet list` to see which there are.',
  'check-unknown':
    'The fleet file no longer allows this check here. Type `/fleet show` and the machine to see which it does.',
  'action-unknown':
    'The fleet file does not allow this action here. Type `/fleet show` and the machine to see which it does.',
  'action-refused':
    'The machine refused the action, so nothing was changed. Ask an operator to compare what is installed on it with the fleet file.',
  'action-not-begun':
    'The action never reached the machine, so nothing was changed. Check that the machine is up, then ask again.',
  'not-sealed':
    'Nobody can approve anything, because the bot has no key for decisions. Ask an operator to give it one.',
  'signer-refused':
    'The signer refused what was approved, so nothing was changed. Ask an operator to look at its log.',
  'signer-away':
    'No signer answered, so nothing was changed. Ask an operator whether one is up, then ask again.',
  'policy-drift':
    'The machine ran other commands than the fleet file lists, so nothing was judged. Ask an operator to install the policy of this fleet file on it.',
  'inertness-unknown':
    'An agent may still be running on the machine, so nothing new is started there. Ask an operator to look at it.',
  'run-timeout':
    'The run took longer than it may and was ended. Ask again, or ask an operator to raise `limits.runTimeoutMs`.',
  'token-limit':
    'The agent used more tokens than one run may. Ask something narrower, or ask an operator to raise `limits.maxTokens`.',
  'cost-limit':
    'The agent cost more than one run may. Ask something narrower, or ask an operator to raise `limits.maxCostUsd`.',
  'mlflow-away':
    'MLflow does not answer as it should. Ask an operator to look at it; what waits for it is kept.',
  'mlflow-denied':
    'MLflow does not let the bot in. Ask an operator to correct its credentials, or its rights on the experiment.',
  'mlflow-unknown': 'MLflow does not know this trace. It may not have arrived yet: look again later.',
  'mlflow-refused': 'MLflow refused what it was sent. Ask an operator to look at the log of the bot.',
  internal: 'Something went wrong inside the bot. Ask an operator to look for this run in the log.',
};

/**
 * What the sentence of a failure tells beyond its code, for codes that stand for several things. The sentences
 * are those of `ssh-connection.ts`, `gate.ts`, `readiness.ts` and `transports/agent-errors.ts` in `edge-client/`.
 */
const closer: readonly { readonly code: Code; readonly says: RegExp; readonly explanation: string }[] = [
  {
    code: 'unreachable',
    says: /\bECONNREFUSED\b/,
    explanation:
      'The machine could not be reached over SSH: it refused the connection. Check that sshd runs there and that `ssh.port` in the fleet file is right, then ask again.',
  },
  {
    code: 'unreachable',
    says: /\bdid not answer within\b|\b(?:ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)\b/,
    explanation:
      'The machine could not be reached over SSH: there was no answer. Check that it is up and that no firewall is between, then ask again.',
  },
  {
    code: 'unreachable',
    says: /\b(?:ENOTFOUND|EAI_AGAIN)\b/,
    explanation:
      "The machine could not be reached over SSH: its host name could not be looked up. Check the machine's `address` in the fleet file, then ask again.",
  },
  {
    code: 'protocol',
    says: /\bsays that it is\b/,
    explanation:
      "Another machine answered than the one that was asked, so nothing was done there. Ask an operator to correct the machine's `address` or `name` in the fleet file, or the name that it was installed under.",
  },
  {
    code: 'agent-looped',
    says: /\banswered more than\b/,
    explanation:
      'The agent answered more than it may and was stopped. Ask something narrower, or ask an operator to raise `limits.maxAnswerBytes`.',
  },
  {
    code: 'agent-not-ready',
    says: /\bdied while it was starting\b/,
    explanation:
      "The agent ended before it was ready. Ask an operator to look at the agent's journal on the machine.",
  },
];

/** Text for a person in Slack: what happened and what to do. No stack, no internals. */
export function explainError(error: unknown): string {
  return explainFailure(toFailure(error));
}

/** The same for a failure that stands in a record. A code that is not known counts as internal. */
export function explainFailure(failure: Failure): string {
  if (ownWords.has(failure.code) && failure.message !== '') return failure.message;
  const known = closer.find(({ code, says }) => code === failure.code && says.test(failure.message));
  if (known !== undefined) return known.explanation;
  return isCode(failure.code) ? explanations[failure.code] : explanations.internal;
}

function isCode(code: string): code is Code {
  return Object.hasOwn(explanations, code);
}
