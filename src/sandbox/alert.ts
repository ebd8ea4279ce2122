import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { InputError, toFailure } from '../fleet/errors.ts';
import { findAlertWebhook, postAlert, sandboxAlertName } from './alert-webhook.ts';
import { sandboxMachineName } from './workspace.ts';

/** `npm run sandbox:alert [-- --resolve]`: an alert as a monitoring would send it to the sandbox that runs. */
function wantedStatus(): 'firing' | 'resolved' {
  const { values, positionals } = parseArgs({ options: { resolve: { type: 'boolean' } }, strict: false });
  const known = Object.keys(values).every((name) => name === 'resolve');
  if (!known || positionals.length > 0) throw new InputError('Usage: npm run sandbox:alert [-- --resolve]');
  return values.resolve === true ? 'resolved' : 'firing';
}

const nextSteps = {
  firing: `${sandboxAlertName} fires for ${sandboxMachineName}: a rule of the fleet file has its disk checked,
unless it was a moment ago, or the machine is silenced or halted. The alert's thread says which.
Fire it again, and nothing is checked: the machine was looked at a moment ago.
It ends with: npm run sandbox:alert -- --resolve`,
  resolved: `${sandboxAlertName} is resolved for ${sandboxMachineName}: its thread says so and is closed.`,
} as const;

try {
  const status = wantedStatus();
  const webhook = findAlertWebhook(tmpdir());
  await postAlert(webhook, status, Date.now());
  process.stdout.write(`${nextSteps[status]}\nLook at ${webhook.channelUrl}\n`);
} catch (error) {
  process.stderr.write(`${toFailure(error).message}\n`);
  process.exitCode = 1;
}
