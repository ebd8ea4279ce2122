import type { AppsManifestValidateArguments } from '@slack/web-api';

type Manifest = AppsManifestValidateArguments['manifest'];

/** The name of the slash command, in the manifest and in the listener. */
export const slashCommandName = '/fleet';

/**
 * The Slack app, as api.slack.com takes it ("From a manifest"). Scopes: `commands` for `/fleet`; `chat:write`
 * and `files:write` for answers; `*:history` to find a message of ours after a crash; `*:read` to know
 * whether the bot is in a channel; `users:read` and `usergroups:read` for the access table. Its events are the
 * messages of channels that it is in: those of apps that the fleet file names are alerts. Socket Mode also needs an
 * app-level token with `connections:write`.
 */
export const manifest = {
  _metadata: { major_version: 2, minor_version: 1 },
  display_information: {
    name: 'fleetbot',
    description: 'Governs the AI agents on a fleet of Linux machines',
    background_color: '#1f2937',
  },
  features: {
    // Where people find the files that they asked for, and what could be said nowhere else.
    app_home: { home_tab_enabled: false, messages_tab_enabled: true, messages_tab_read_only_enabled: true },
    bot_user: { display_name: 'fleetbot', always_online: true },
    slash_commands: [
      {
        command: slashCommandName,
        description: 'Check machines, ask their agents, change what people approve, halt them',
        usage_hint:
          'help | list | show | check | ask | run | approvals | schedule | runs | cancel | halt | resume | silence | unsilence | silences | audit | cost | why',
        should_escape: true,
      },
    ],
  },
  oauth_config: {
    scopes: {
      bot: [
        'commands',
        'chat:write',
        'files:write',
        'channels:history',
        'groups:history',
        'im:history',
        'mpim:history',
        'channels:read',
        'groups:read',
        'im:read',
        'mpim:read',
        'users:read',
        'usergroups:read',
      ],
    },
  },
  settings: {
    interactivity: { is_enabled: true },
    event_subscriptions: { bot_events: ['message.channels', 'message.groups'] },
    org_deploy_enabled: false,
    socket_mode_enabled: true,
    token_rotation_enabled: false,
  },
} satisfies Manifest;

/**
 * The manifest as the text of a JSON file.
 *
 * @param requestUrl makes it the manifest for HTTP mode: the public `https://…/slack/events` of the bot
 */
export function manifestJson({ requestUrl }: { requestUrl?: string } = {}): string {
  const forHttp = (url: string): Manifest => ({
    ...manifest,
    features: {
      ...manifest.features,
      slash_commands: manifest.features.slash_commands.map((command) => ({ ...command, url })),
    },
    settings: {
      ...manifest.settings,
      interactivity: { is_enabled: true, request_url: url },
      event_subscriptions: { ...manifest.settings.event_subscriptions, request_url: url },
      socket_mode_enabled: false,
    },
  });
  return `${JSON.stringify(requestUrl === undefined ? manifest : forHttp(requestUrl), null, 2)}\n`;
}
