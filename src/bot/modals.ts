import type { ModalView } from '@slack/types';
import type { WebClient } from '@slack/web-api';
import type { Logger } from 'pino';
import { z } from 'zod';
import { InputError } from '../fleet/errors.ts';
import { slackErrorCode } from './slack-error-code.ts';

/** Windows over Slack that one person sees. */
export interface Modals {
  /**
   * Opens one. Slack takes a click's trigger for 3 s.
   * @returns its id
   * @throws InputError with a sentence for the person
   */
  open(triggerId: string, view: ModalView): Promise<string>;
  /** Shows something else in one that is open. Never rejects: what cannot be shown is logged. */
  update(viewId: string, view: ModalView): Promise<void>;
}

const openedSchema = z.object({ view: z.object({ id: z.string() }) });

/** Modals by `views.open` and `views.update`, which need no scope (docs.slack.dev/reference/methods/views.open). */
export function createModals({ client, log }: { client: WebClient; log: Logger }): Modals {
  return {
    async open(triggerId, view) {
      try {
        const { view: opened } = openedSchema.parse(await client.views.open({ trigger_id: triggerId, view }));
        return opened.id;
      } catch (error) {
        log.warn({ err: error }, 'a window could not be opened');
        throw new InputError(
          `Slack did not open the window (${slackErrorCode(error)}). Nothing was done. Click again.`,
          { cause: error },
        );
      }
    },

    async update(viewId, view) {
      try {
        await client.views.update({ view_id: viewId, view });
      } catch (error) {
        log.warn({ err: error, said: view.blocks }, 'a window could not be changed');
      }
    },
  };
}
