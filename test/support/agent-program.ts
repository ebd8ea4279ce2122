import { fileURLToPath } from 'node:url';

export type AgentName =
  | 'contradicts'
  | 'crashes'
  | 'exits-at-once'
  | 'fails'
  | 'hangs'
  | 'loops'
  | 'never-ready'
  | 'nonsense'
  | 'silent'
  | 'stubborn';

/** The argument vector of one of the misbehaving agents in `agents/`. */
export function agentProgram(name: AgentName): string[] {
  return [process.execPath, fileURLToPath(new URL(`./agents/${name}.ts`, import.meta.url))];
}
