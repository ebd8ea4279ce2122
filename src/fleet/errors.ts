import type { Told } from './agent-task.ts';

/**
 * The one family of errors. Each has a stable `code` (for tests, logs and metrics), the original error as
 * `cause`, and a message that tells an operator what happened and what to do. `explain-error.ts` turns any
 * of them into text for a person.
 */
export class FleetbotError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** One thing that is wrong in a fleet file, and its cure. `line` counts from 1. */
export interface FleetFileProblem {
  readonly line: number;
  readonly path: string;
  readonly problem: string;
  readonly cure: string;
}

/** A problem as a line for people: `FILE:LINE: PATH: PROBLEM. CURE`. */
export function problemLine(file: string, { line, path, problem, cure }: FleetFileProblem): string {
  return `${file}:${line}: ${path}: ${problem}. ${cure}`;
}

/** The fleet file cannot be used. Holds every problem found, not only the first. */
export class FleetFileError extends FleetbotError {
  readonly file: string;
  readonly problems: readonly FleetFileProblem[];

  constructor(file: string, problems: readonly FleetFileProblem[], options?: ErrorOptions) {
    super('fleet-file-invalid', problems.map((problem) => problemLine(file, problem)).join('\n'), options);
    this.file = file;
    this.problems = problems;
  }
}

/** A setting (environment variable) is missing or cannot be used. */
export class SettingsError extends FleetbotError {
  constructor(message: string, options?: ErrorOptions) {
    super('settings-invalid', message, options);
  }
}

/** What a person typed cannot be carried out as typed; the message says what to type instead. */
export class InputError extends FleetbotError {
  constructor(message: string, options?: ErrorOptions) {
    super('input-invalid', message, options);
  }
}

/**
 * Which limit was reached. `person`: one asked too often. `rate`: machines got too many requests. `waiting`: too
 * many wait for them. `budget`: what their agents may cost is used up.
 */
export const limitKinds = ['person', 'rate', 'waiting', 'budget'] as const;
export type LimitKind = (typeof limitKinds)[number];

/** More was asked for than the limits allow; nothing was stored. The message says what to do. */
export class LimitError extends FleetbotError {
  readonly limit: LimitKind;
  /** The machines that are over the limit; none where it is the person. */
  readonly machines: readonly string[];

  constructor(message: string, limit: LimitKind, machines: readonly string[] = []) {
    super('limit-exceeded', message);
    this.limit = limit;
    this.machines = machines;
  }
}

/** The access table does not allow it; the message names the verb and the machine. */
export class NotAllowedError extends FleetbotError {
  constructor(message: string, options?: ErrorOptions) {
    super('not-allowed', message, options);
  }
}

/** Redis could not be asked, or its answer did not arrive in time. Whether it acted is unknown. */
export class StoreUnavailableError extends FleetbotError {
  constructor(message: string, options?: ErrorOptions) {
    super('store-unavailable', message, options);
  }
}

/** The Redis server's version, persistence or eviction policy would lose what was promised. */
export class StoreUnsafeError extends FleetbotError {
  constructor(message: string, options?: ErrorOptions) {
    super('store-unsafe', message, options);
  }
}

/** Another worker holds this machine now (a higher fence), or the run is not in the expected state. */
export class StaleFenceError extends FleetbotError {
  constructor(message: string, options?: ErrorOptions) {
    super('stale-fence', message, options);
  }
}

/** The signer does not sign this; or there is none that answers. Nothing was changed. */
export type SignerErrorCode = 'signer-refused' | 'signer-away';

/** No capsule for an approved action. */
export class SignerError extends FleetbotError {
  declare readonly code: SignerErrorCode;

  constructor(code: SignerErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** Everything that can go wrong between here and a machine. */
export type MachineErrorCode =
  /** No TCP or SSH connection, or it broke. Nothing is known of the machine's state. */
  | 'unreachable'
  /** The machine showed another host key than the one pinned in the fleet file. */
  | 'host-key-changed'
  /** The machine refused our SSH key. */
  | 'key-refused'
  /** The gate does not know the verb, its arguments, or does not allow it here. */
  | 'verb-refused'
  /** The gate has seen a higher fence. */
  | 'old-fence'
  /** The machine is locked over its gate. */
  | 'locked'
  /** systemd could not start or stop the agent's unit. */
  | 'unit-failed'
  /** The gate's answer does not follow the protocol. */
  | 'protocol'
  /** A verb did not answer within its time. */
  | 'timeout';

/** A machine could not be asked, or refused. */
export class MachineError extends FleetbotError {
  declare readonly code: MachineErrorCode;

  constructor(code: MachineErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** Everything that can go wrong with an agent that was started. */
export type AgentErrorCode =
  /** The gateway did not become ready in time. */
  | 'agent-not-ready'
  /** The gateway refused the connection (token, protocol version, unknown agent). */
  | 'agent-refused'
  /** The agent ended the task with an error. */
  | 'agent-failed'
  /** The agent's connection broke during the task. */
  | 'agent-lost'
  /** The task took longer than it may. */
  | 'agent-timeout'
  /** The agent made more tool calls than it may. */
  | 'agent-looped'
  /** The agent answered without text. */
  | 'agent-silent'
  /** Its supervisor was killed during the task, as often as a run may be started again. */
  | 'agent-interrupted';

/** The agent did not do its task. Never changes a verdict that rests on evidence. */
export class AgentError extends FleetbotError {
  declare readonly code: AgentErrorCode;
  /** What it used nevertheless, as far as it told. */
  readonly told: Told;

  constructor(
    code: AgentErrorCode,
    message: string,
    { told = {}, ...options }: ErrorOptions & { readonly told?: Told | undefined } = {},
  ) {
    super(code, message, options);
    this.told = told;
  }
}

/** Why MLflow did not do what it was asked for. */
export type MlflowErrorCode =
  /** No answer; or one that says "not now" (429, 5xx) or is not MLflow's. It may be well later. */
  | 'mlflow-away'
  /** It wants other credentials, forbids it to this user, or knows this address not as its own (401, 403). */
  | 'mlflow-denied'
  /** It knows no such trace, assessment or experiment (404). */
  | 'mlflow-unknown'
  /** It will never take this (400, 413, 422). */
  | 'mlflow-refused';

/** MLflow could not be asked, or refused. */
export class MlflowError extends FleetbotError {
  declare readonly code: MlflowErrorCode;

  constructor(code: MlflowErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** Why a run could not do what was asked, where nothing was thrown. Their sentences are written for people. */
export type RunFailureCode =
  /** The machine is no longer in the fleet file. */
  | 'machine-unknown'
  /** The fleet file no longer allows the check. */
  | 'check-unknown'
  /** The fleet file does not allow the action, or these parameters of it, on the machine. */
  | 'action-unknown'
  /** Nothing can be approved, because the bot has no key to say who asked. */
  | 'not-sealed'
  /** The machine refused what was approved; nothing was changed. */
  | 'action-refused'
  /** What was approved never reached the machine, and cannot any more. */
  | 'action-not-begun'
  /** The machine ran other commands than the fleet file lists. */
  | 'policy-drift'
  /** An agent runs that could not be stopped. */
  | 'inertness-unknown'
  /** The whole run took longer than the machine's `runTimeoutMs`. */
  | 'run-timeout'
  /** The agent used more tokens than the machine's `maxTokens`. */
  | 'token-limit'
  /** The agent cost more than the machine's `maxCostUsd`. */
  | 'cost-limit';

/** What of an error is kept in a record: its code and its sentence. */
export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** Reduces anything thrown to what a record keeps. An error outside the family gets the code `internal`. */
export function toFailure(error: unknown): Failure {
  if (error instanceof FleetbotError) return { code: error.code, message: error.message };
  const text = error instanceof Error ? error.message : String(error);
  return { code: 'internal', message: `Internal error: ${text}. Look for it in the log with this run's id.` };
}
