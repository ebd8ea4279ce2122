import { WebAPIPlatformError } from '@slack/web-api';
import { SettingsError } from '../fleet/errors.ts';

/** The error for a token that Slack refused; any other error is returned as it is. */
export function refusedToken(error: unknown, token: string): unknown {
  if (!(error instanceof WebAPIPlatformError)) return error;
  return new SettingsError(
    `Slack refuses the ${token}: ${error.data.error}. Copy it again from the app's pages at api.slack.com.`,
    { cause: error },
  );
}
