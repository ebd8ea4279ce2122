/** Something that the rules can look into. */
export interface Topic {
  readonly name: string;
  /** Words of a question that mean it. */
  readonly words: RegExp;
  /** Read-only commands, in order; each must be on the broker's list (`machine/host-tool.ts`). */
  readonly commands: readonly string[];
  /** A command that would change the machine and is on no list: it is asked for at the end, to show how it is denied. */
  readonly denied?: string;
  /** Words in the name or summary of an action that could cure what is found. */
  readonly cures?: RegExp;
  /** Sentences from the commands' outputs, which stand in the same order. */
  explain(outputs: readonly string[]): string[];
}
