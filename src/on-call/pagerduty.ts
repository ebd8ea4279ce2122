import { z } from 'zod';
import { callMark } from '../fleet/hand-over.ts';
import type { PagerDutyEntry } from './pagers-file.ts';
import type { Wire } from './wire.ts';

/** PagerDuty's limit of a summary. */
const summaryChars = 1_024;

const acceptedSchema = z.object({ status: z.literal('success') });
const refusedSchema = z.object({ message: z.string().optional(), errors: z.array(z.string()).default([]) });

/**
 * PagerDuty's Events API v2, and what speaks it too. The hand-over's id is the `dedup_key`: a page that is sent twice is
 * one incident. Source: developer.pagerduty.com, "Send an event" (POST /v2/enqueue, 202 `{"status":"success"}`, 400 with
 * `message` and `errors`, 429).
 */
export function pagerDuty({ url, routingKey }: PagerDutyEntry): Wire {
  return {
    request: ({ handOver, thread }) => ({
      url: `${url.replace(/\/+$/, '')}/v2/enqueue`,
      headers: {},
      body: {
        routing_key: routingKey,
        event_action: 'trigger',
        dedup_key: handOver.id,
        client: 'fleetbot',
        ...(thread !== undefined && {
          client_url: thread,
          links: [{ href: thread, text: 'Thread in Slack' }],
        }),
        payload: {
          summary: `${callMark}${handOver.machine}: ${handOver.why}`.slice(0, summaryChars).toWellFormed(),
          source: handOver.machine,
          severity: 'critical',
          component: handOver.task,
          timestamp: new Date(handOver.openedAt).toISOString(),
          custom_details: { why: handOver.why, because: handOver.because, run: handOver.run },
        },
      },
    }),
    doubt: (body) =>
      acceptedSchema.safeParse(body).success ? undefined : 'does not answer as the Events API v2 does',
    reason: (body) => {
      const said = refusedSchema.safeParse(body).data;
      return said && [said.message, ...said.errors].filter((each) => each !== undefined).join(': ');
    },
    secrets: [routingKey],
  };
}
