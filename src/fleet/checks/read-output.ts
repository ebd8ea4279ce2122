import type { CommandOutput } from '../evidence.ts';
import type { Finding } from '../finding.ts';

/** Exit code of a shell or broker for a command that is not installed. */
const notInstalled = 127;

/** How much of a command's own complaint is quoted. */
const maxQuotedCharacters = 200;

/** What can be read of an output. `problem`: why it cannot be trusted, as a sentence; `text` may be there too. */
export interface ReadOutput {
  readonly text?: string;
  readonly problem?: string;
}

/**
 * Takes the text of the output at `index` if the command ran. Of an output that was cut, the last line, which
 * may be half of one, is dropped and the cut is named as a problem.
 */
export function readOutput(
  outputs: readonly CommandOutput[],
  index: number,
  ranWith: readonly number[] = [0],
): ReadOutput {
  const output = outputs[index];
  if (output === undefined) return { problem: `the evidence holds no output of command ${index + 1}` };
  const command = `\`${output.argv.join(' ')}\``;
  if (output.exitCode === null) return { problem: `${command} was ended before it finished` };
  if (output.exitCode === notInstalled && !ranWith.includes(notInstalled)) {
    return { problem: `${command} is not installed on the machine (exit code 127)` };
  }
  if (!ranWith.includes(output.exitCode)) {
    const complaint = output.stderr.trim().split('\n')[0]?.slice(0, maxQuotedCharacters);
    return {
      problem: `${command} ended with exit code ${output.exitCode}${complaint ? `: ${complaint}` : ''}`,
    };
  }
  if (output.truncated) {
    return {
      text: output.stdout.slice(0, output.stdout.lastIndexOf('\n') + 1),
      problem: `the output of ${command} was cut because it is too long`,
    };
  }
  return { text: output.stdout };
}

/** The finding for something that could not be measured. */
export function inconclusive(subject: string, reason: string, output: number): Finding {
  return { severity: 'inconclusive', subject, text: `${subject} could not be judged: ${reason}`, output };
}
