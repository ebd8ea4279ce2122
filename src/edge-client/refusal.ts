import { MachineError, type MachineErrorCode } from '../fleet/errors.ts';
import { type Refusal, refusalSchema } from './gate-protocol.ts';
import { parseJson } from './parse-json.ts';

/** How much of an answer that nobody can read is shown to the operator, in characters. */
const shownGarbageMax = 200;

const codes: Readonly<Record<Refusal['code'], MachineErrorCode>> = {
  'verb-refused': 'verb-refused',
  'old-fence': 'old-fence',
  locked: 'locked',
  'not-active': 'unit-failed',
  'unit-failed': 'unit-failed',
  internal: 'protocol',
};

/** The error that a gate's refusal (JSON on stderr) stands for; `protocol` where it is none. */
export function refusalError(machine: string, stderr: string, exitCode: number | null): MachineError {
  const refusal = refusalSchema.safeParse(parseJson(stderr));
  if (!refusal.success) {
    return protocolError(machine, `its gate ended with exit code ${exitCode}`, stderr);
  }
  const { code, message } = refusal.data;
  return new MachineError(codes[code], `${machine}: ${message}`);
}

/** An answer that does not follow the gate's protocol, with its beginning. */
export function protocolError(machine: string, problem: string, answer: string, cause?: unknown) {
  const shown = answer.trim().slice(0, shownGarbageMax) || 'nothing';
  return new MachineError(
    'protocol',
    `${machine} answered outside the gate's protocol: ${problem} and printed: ${shown}. ` +
      'Check that the current gate is installed on it.',
    { cause },
  );
}
