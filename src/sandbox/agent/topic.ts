/** Something that the rules can look into. */
export interface Topic {
  readonly name: string;
  /** Words of a question that mean it. */
  readonly words: RegExp;
  /** Read-only commands, in order; each must be on the broker's list (`machine/host-tool.ts`). */
  readonly commands: readonly string[];
  /** Sentences from the commands' outputs, which stand in the same order. */
  explain(outputs: readonly string[]): string[];
}
