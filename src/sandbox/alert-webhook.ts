import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { SandboxError } from './child-process.ts';
import { freePort } from './free-port.ts';
import { sandboxFolders } from './sandbox-folder.ts';
import { sandboxMachineName } from './workspace.ts';

const webhookSchema = z.object({
  port: z.int(),
  /** Whoever sends it is believed. */
  token: z.string(),
  /** Where the answer is read. */
  channelUrl: z.url(),
});

/** Where a sandbox takes alerts. */
export type AlertWebhook = Readonly<z.infer<typeof webhookSchema>>;

/** What the alert of the sandbox is called; a rule of its fleet file leads it to the check `disk`. */
export const sandboxAlertName = 'DiskAlmostFull';

const fileName = 'alerts.json';
const postTimeoutMs = 10_000;

/** A free port and a new token, written where `npm run sandbox:alert` looks for them. */
export async function newAlertWebhook(folder: string, channelUrl: string): Promise<AlertWebhook> {
  const webhook = { port: await freePort(), token: randomBytes(24).toString('base64url'), channelUrl };
  writeFileSync(join(folder, fileName), JSON.stringify(webhook), { mode: 0o600 });
  return webhook;
}

/**
 * Where the sandbox that was started last takes alerts.
 * @param parent the folder in which the folders of sandboxes are
 * @throws SandboxError where none runs
 */
export function findAlertWebhook(parent: string): AlertWebhook {
  for (const folder of sandboxFolders(parent)) {
    try {
      return webhookSchema.parse(JSON.parse(readFileSync(join(folder, fileName), 'utf8')));
    } catch {
      // It is just being started, or ends at this moment.
    }
  }
  throw new SandboxError('No sandbox runs on this computer. Start one with npm run sandbox, then try again.');
}

/**
 * Posts an alert about the sandbox's machine as an Alertmanager would.
 * @throws SandboxError with what the webhook answers, when it is not taken
 */
export async function postAlert(
  { port, token }: AlertWebhook,
  status: 'firing' | 'resolved',
  now: number,
): Promise<void> {
  const at = new Date(now).toISOString();
  const labels = { alertname: sandboxAlertName, instance: `${sandboxMachineName}:9100`, severity: 'warning' };
  const annotations = {
    summary: `The disk of ${sandboxMachineName} is almost full, says npm run sandbox:alert`,
  };
  const alert = {
    ...{ status, labels, annotations, fingerprint: 'sandbox-disk', startsAt: at },
    endsAt: status === 'resolved' ? at : '0001-01-01T00:00:00Z',
  };
  const body = {
    ...{ version: '4', status, receiver: 'fleetbot', groupKey: '{}', truncatedAlerts: 0 },
    ...{ groupLabels: {}, commonLabels: labels, commonAnnotations: annotations, alerts: [alert] },
  };
  const response = await fetch(`http://127.0.0.1:${port}/alerts/alertmanager`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(postTimeoutMs),
  }).catch((error: unknown) => {
    throw new SandboxError('The sandbox does not answer; read what it printed, and start it again.', {
      cause: error,
    });
  });
  if (!response.ok) {
    throw new SandboxError(
      `The sandbox did not take the alert (${response.status}): ${await response.text()}`,
    );
  }
}
