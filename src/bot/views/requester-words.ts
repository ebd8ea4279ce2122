import type { Requester } from '../../fleet/requester.ts';
import { codeSpan, mention, prose } from './safe-text.ts';

const nameChars = 64;

/** Who asks, for the end of a sentence: a mention where it is a person. */
export function requesterWords(requester: Requester): string {
  switch (requester.kind) {
    case 'person':
      return mention(requester.userId);
    case 'alert':
      return `an alert (${codeSpan(requester.incident, nameChars)})`;
    case 'schedule': {
      const by = requester.by === undefined ? '' : ` of ${mention(requester.by.userId)}`;
      return `the schedule ${codeSpan(requester.schedule, nameChars)}${by}`;
    }
    case 'supervisor':
      return `the supervisor of *${prose(requester.machine, nameChars)}* (${codeSpan(requester.run, nameChars)})`;
  }
}
