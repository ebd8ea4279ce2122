/** Prints a number once the file in its first argument exists. */
const waits = 'until [ -e "$0" ]; do sleep 0.05; done; echo 42';

/** A check `waits` of the fleet file, whose command ends only once the file exists. */
export function waitingCheck(file: string): Readonly<Record<string, unknown>> {
  return {
    waits: {
      summary: 'A number that somebody waits for',
      command: ['sh', '-c', waits, file],
      number: { pattern: '^(\\d+)', warnAbove: 50 },
    },
  };
}
