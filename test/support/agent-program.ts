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

/** The argument vector of an agent that waits for a file before it is ready, answers its task, or stops. */
export function waitingAgent(phase: 'ready' | 'task' | 'stop', file: string): string[] {
  return [process.execPath, fileURLToPath(new URL('./agents/waits.ts', import.meta.url)), phase, file];
}
