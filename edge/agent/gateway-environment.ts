import { join } from 'node:path';

/** RHEL Lightspeed wants no key, and OpenClaw takes a provider without one for broken. */
const placeholderKey = 'placeholder';

/** What `gatewayEnvironment` makes. */
export type GatewayEnvironment = ReturnType<typeof gatewayEnvironment>;

/** The environment of OpenClaw's processes: everything of its own under `state`, and nothing that reaches out. */
export function gatewayEnvironment(options: {
  readonly settings: string;
  readonly state: string;
  readonly env: NodeJS.ProcessEnv;
}) {
  const { settings, state, env } = options;
  const token = env.OPENCLAW_GATEWAY_TOKEN;
  if (!token) throw new Error('OPENCLAW_GATEWAY_TOKEN is not set. The broker makes it for every activation.');
  return {
    PATH: env.PATH,
    OPENCLAW_GATEWAY_TOKEN: token,
    FLEETBOT_OTLP_TOKEN: env.FLEETBOT_OTLP_TOKEN,
    // Under names that OpenClaw does not know: MODEL_API_KEY is to it the key of Meta's models, whose plugin it then
    // asks npm for, for minutes.
    FLEETBOT_MODEL_KEY: env.MODEL_API_KEY || placeholderKey,
    FLEETBOT_ANTHROPIC_KEY: env.ANTHROPIC_API_KEY,
    HOME: join(state, 'home'),
    OPENCLAW_STATE_DIR: join(state, 'openclaw'),
    OPENCLAW_CONFIG_PATH: join(settings, 'openclaw.json'),
    OPENCLAW_CONFIG_READONLY: '1',
    // By default it is in /tmp, which a container loses. The second keeps OpenClaw from starting itself once more
    // with a folder of its own choice.
    NODE_COMPILE_CACHE: join(state, 'compile-cache'),
    OPENCLAW_PACKAGED_COMPILE_CACHE_RESPAWNED: '1',
    OPENCLAW_NO_RESPAWN: '1',
    OPENCLAW_NO_AUTO_UPDATE: '1',
    OPENCLAW_OFFLINE: '1',
    OPENCLAW_DISABLE_BONJOUR: '1',
    OPENCLAW_SKIP_CHANNELS: '1',
    OPENCLAW_EXEC_SHELL_SNAPSHOT: '0',
    DO_NOT_TRACK: '1',
  };
}
