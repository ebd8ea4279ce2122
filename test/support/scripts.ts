/** A command that every agent in the tests may run. */
export const allowedCommand = 'uname -srm';
/** A command that no agent in the tests may run. */
export const deniedCommand = 'id';
/** Another one, with a secret in it. */
export const leakingCommand = 'id --password=not-for-telemetry';

/** What an agent on a machine tries in vain, one after the other. */
export const forbiddenCommands = [
  'on-host cat /etc/shadow',
  'on-host sh -c id',
  'on-host systemctl restart ssh.service',
  'on-host --run r-00000000dead uname -srm',
  'on-host uname -srm > /state/workspace/written',
  'sh -c id',
  'cat /etc/fleetbot/agent/approvals.json',
] as const;

export type ScriptStep = { readonly command: string } | { readonly text: string } | 'hang' | 'fail';

/** What a scripted model does next, given the outputs of the commands it has run so far. */
type Script = (outputs: readonly string[]) => ScriptStep;

/** The scripts by name. A task names its script: `MODE:name`. */
export const scripts = {
  text: () => ({ text: 'Hello from the agent.' }),
  tool: ([output]) =>
    output === undefined ? { command: allowedCommand } : { text: `It says: ${output.trim()}` },
  denied: ([output]) => (output === undefined ? { command: deniedCommand } : { text: 'I could not run it.' }),
  leak: ([output]) => (output === undefined ? { command: leakingCommand } : { text: 'I could not run it.' }),
  forbidden: (outputs) => {
    const command = forbiddenCommands[outputs.length];
    return command === undefined ? { text: 'None of it worked.' } : { command };
  },
  loop: () => ({ command: allowedCommand }),
  hang: () => 'hang',
  'tool-then-hang': ([output]) => (output === undefined ? { command: allowedCommand } : 'hang'),
  empty: () => ({ text: '' }),
  fail: () => 'fail',
  long: () => ({ text: 'blah '.repeat(2_000) }),
} satisfies Record<string, Script>;

export type Mode = keyof typeof scripts;

/** The script that a text asks for; the last one, where it holds several. */
export function modeOf(text: string, otherwise: Mode = 'text'): Mode {
  const named = [...text.matchAll(/MODE:([a-z-]+)/g)].at(-1)?.[1];
  const mode = modes.find((name) => name === named);
  return mode ?? otherwise;
}

const modes: readonly Mode[] = [
  'text',
  'tool',
  'denied',
  'forbidden',
  'leak',
  'loop',
  'hang',
  'tool-then-hang',
  'empty',
  'fail',
  'long',
];
