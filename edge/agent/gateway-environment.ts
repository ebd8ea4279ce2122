import { join } from 'node:path';

/** What of the container's environment the gateway gets: secrets, and where programs are. */
const passedOn = ['PATH', 'OPENCLAW_GATEWAY_TOKEN', 'FLEETBOT_OTLP_TOKEN', 'ANTHROPIC_API_KEY'];

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
  const given = passedOn.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]));
  return {
    ...Object.fromEntries(given),
    // RHEL Lightspeed wants no key, and OpenClaw sends none only to providers that it takes for broken. Under its own
    // name, OpenClaw takes it for the key of Meta's models and asks npm for a plugin.
    FLEETBOT_MODEL_KEY: env.MODEL_API_KEY ?? 'placeholder',
    OPENCLAW_GATEWAY_TOKEN: token,
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
