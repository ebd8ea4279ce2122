import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../support/command-that-waits.ts', import.meta.url));

/** A check `waits` of the fleet file, whose command ends only once the file exists. */
export function waitingCheck(file: string): Readonly<Record<string, unknown>> {
  return {
    waits: {
      summary: 'A number that somebody waits for',
      command: [process.execPath, program, file],
      number: { pattern: '^(\\d+)', warnAbove: 50 },
    },
  };
}
