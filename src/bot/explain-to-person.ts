import type { Logger } from 'pino';
import { InputError, LimitError, NotAllowedError } from '../fleet/errors.ts';
import { explainError } from '../fleet/explain-error.ts';
import { noticeView } from './views/notice.ts';
import type { View } from './views/view.ts';

/** The answer to a command or click that failed; logged, with its stack where it is not the person's doing. */
export function explainToPerson(error: unknown, log: Logger): View {
  if (error instanceof InputError || error instanceof NotAllowedError || error instanceof LimitError) {
    log.info({ code: error.code }, error.message);
  } else {
    log.error({ err: error }, 'a command or click failed');
  }
  return noticeView({ text: explainError(error), kind: 'error' });
}
