/** One tool call that was made, and what came back, as the model sees it. */
export interface Observation {
  readonly command: string;
  /** stdout and stderr; for a refused command, the refusal. */
  readonly output: string;
  /** null: the command was ended by a limit, or never ran. */
  readonly exitCode: number | null;
}

/** What a model wants next. */
export type ModelStep =
  | { readonly kind: 'exec'; readonly command: string }
  | { readonly kind: 'answer'; readonly text: string };

/** What decides in place of a language model. Deliberately not here: streaming, several tools at once. */
export interface Model {
  readonly name: string;
  /** Resolves when the model can be used; until then the gateway is not ready. */
  warmUp?(): Promise<void>;
  /** The next step for a task, given everything observed so far. What it throws ends the task as failed. */
  next(task: string, observations: readonly Observation[], signal: AbortSignal): Promise<ModelStep>;
}
