import type { Exec } from './exec-tool.ts';
import type { Model } from './model.ts';
import { Session, type SessionEvent } from './session.ts';

export interface SessionsOptions {
  readonly model: Model;
  readonly exec: Exec;
  readonly clock: () => number;
}

export interface SessionRequest {
  readonly runId: string;
  readonly sessionKey: string;
  readonly task: string;
  readonly timeoutMs: number;
  readonly onEvent: (event: SessionEvent) => void;
}

/** Every session of this process's life, by run id: a gateway answers for a run that has long ended. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #byRun = new Map<string, Session>();

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  get(runId: string): Session | undefined {
    return this.#byRun.get(runId);
  }

  /** Begins a session; its run id must be new. */
  start(request: SessionRequest): Session {
    const session = new Session({ ...this.#options, ...request });
    this.#byRun.set(request.runId, session);
    return session;
  }

  /** The session at work with this run id or, where there is none, with this session key. */
  working(runId: string | undefined, sessionKey: string | undefined): Session | undefined {
    return [...this.#byRun.values()].find(
      (session) =>
        !session.done && (runId === undefined ? session.sessionKey === sessionKey : session.runId === runId),
    );
  }
}
