import type { Check } from '../check.ts';
import { formatNumber } from '../format.ts';
import { composeQuestion } from './compose-question.ts';
import { judgeLimits } from './judge-limits.ts';
import { inconclusive, readOutput } from './read-output.ts';

/** The load average of 5 minutes per processor (proc_loadavg(5); `nproc` of coreutils). */
export const load: Check = {
  name: 'load',
  summary: 'load average per processor',
  commands: () => [['cat', '/proc/loadavg'], ['nproc']],
  judge: (machine, outputs) => {
    const averages = readOutput(outputs, 0);
    const processors = readOutput(outputs, 1);
    if (averages.problem !== undefined) return [inconclusive('load', averages.problem, 0)];
    if (processors.problem !== undefined) return [inconclusive('load', processors.problem, 1)];
    const average = /^\d+\.\d+ (\d+\.\d+) \d+\.\d+ /.exec(averages.text ?? '')?.[1];
    if (average === undefined) return [inconclusive('load', '/proc/loadavg does not hold three averages', 0)];
    const count = Number(/^\d+$/.exec(processors.text?.trim() ?? '')?.[0] ?? 0);
    if (count === 0) return [inconclusive('load', 'nproc did not print a number of processors', 1)];
    const perProcessor = Number(average) / count;
    const { warnPerCpu: warn, criticalPerCpu: critical } = machine.expect.load;
    const { severity, limit } = judgeLimits(perProcessor, { warn, critical, bad: 'high' }, '');
    const on = count === 1 ? '1 processor' : `${count} processors`;
    return [
      {
        severity,
        subject: 'load',
        text: `load ${average} over 5 minutes on ${on}, ${formatNumber(perProcessor)} per processor (${limit})`,
        output: 0,
        measure: { value: perProcessor, unit: 'per processor' },
      },
    ];
  },
  question: (machine, findings) =>
    composeQuestion(
      machine,
      findings,
      'load',
      () =>
        'Find out what causes the load: the processes that use the most processor time, those that wait for input and output (state D), and since when. Tell computing from waiting. Say what would help, and how sure you are. Change nothing.',
      'It is within its limits. Look whether a process uses an unusual share of the processors or waits for a disk. Change nothing.',
    ),
};
