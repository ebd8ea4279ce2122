import type { Logger } from 'pino';
import type { Duty } from './create-dispatcher.ts';
import type { Silences } from './ports.ts';

/** Ends silences, and windows that held something back, when their time is over: once each, which has it announced. */
export function silencesDuty({ silences, log }: { silences: Silences; log: Logger }): Duty {
  return {
    name: 'silences',
    async run(signal) {
      for (const silence of await silences.due()) {
        if (signal.aborted) return;
        if (await silences.close(silence)) log.info({ silence: silence.id }, 'a silence is over');
      }
    },
  };
}
