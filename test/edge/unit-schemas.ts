import { z } from 'zod';

/**
 * What the Quadlet files and pods of `edge/units/user` have to say. Strict: `podman kube play` takes a misspelt key
 * in silence, and systemd warns only in the journal.
 */

const unitSchema = z.strictObject({
  Description: z.string(),
  Wants: z.literal('fleetbot-warm-up.service'),
  After: z.literal('fleetbot-warm-up.service'),
});

const kubeSchema = (yaml: string) =>
  z.strictObject({
    Yaml: z.literal(yaml),
    Network: z.literal('host'),
    ExitCodePropagation: z.literal('any'),
    LogDriver: z.literal('journald'),
  });

/** Nobody waits for network-online.target, which nothing may ever reach. */
const quadletSchema = z.strictObject({ DefaultDependencies: z.literal('false') });

const secondsSchema = z.string().regex(/^\d+$/);

export const agentUnitSchema = z.strictObject({
  Unit: unitSchema.extend({ AssertPathExists: z.literal('/run/fleetbot/activation.json') }),
  Kube: kubeSchema('openclaw-agent.yaml'),
  Service: z.strictObject({
    Restart: z.literal('no'),
    RuntimeMaxSec: z.literal('@RUNTIME_MAX_SECONDS@'),
    TimeoutStartSec: secondsSchema,
    TimeoutStopSec: z.literal('10'),
    OOMScoreAdjust: z.literal('900'),
  }),
  Quadlet: quadletSchema,
  // No Install: the agent never starts by itself.
});

export const collectorUnitSchema = z.strictObject({
  Unit: unitSchema,
  Kube: kubeSchema('fleetbot-collector.yaml'),
  Service: z.strictObject({
    Restart: z.literal('always'),
    RestartSec: secondsSchema,
    TimeoutStartSec: secondsSchema,
    TimeoutStopSec: secondsSchema,
    OOMScoreAdjust: z.string().regex(/^[5-8]\d\d$/),
  }),
  Install: z.strictObject({ WantedBy: z.literal('default.target') }),
  Quadlet: quadletSchema,
});

const secretVariable = (name: string, secret: string, key: string) =>
  z.strictObject({
    name: z.literal(name),
    valueFrom: z.strictObject({
      secretKeyRef: z.strictObject({ name: z.literal(secret), key: z.literal(key) }),
    }),
  });

const optionalModelKey = (name: string) =>
  z.strictObject({
    name: z.literal(name),
    valueFrom: z.strictObject({
      secretKeyRef: z.strictObject({
        name: z.literal('openclaw-model-keys'),
        key: z.literal(name),
        optional: z.literal(true),
      }),
    }),
  });

const variable = (name: string, value: string) =>
  z.strictObject({ name: z.literal(name), value: z.literal(value) });

const mount = (name: string, mountPath: string) =>
  z.strictObject({ name: z.literal(name), mountPath: z.literal(mountPath) });

const readOnlyMount = (name: string, mountPath: string) =>
  mount(name, mountPath).extend({ readOnly: z.literal(true) });

const hostVolume = (name: string, path: string, type: string) =>
  z.strictObject({
    name: z.literal(name),
    hostPath: z.strictObject({ path: z.literal(path), type: z.literal(type) }),
  });

const keptVolume = (name: string, claimName: string) =>
  z.strictObject({
    name: z.literal(name),
    persistentVolumeClaim: z.strictObject({ claimName: z.literal(claimName) }),
  });

const confined = (user: number) =>
  z.strictObject({
    runAsNonRoot: z.literal(true),
    runAsUser: z.literal(user),
    runAsGroup: z.literal(user),
    readOnlyRootFilesystem: z.literal(true),
    allowPrivilegeEscalation: z.literal(false),
    capabilities: z.strictObject({ drop: z.tuple([z.literal('ALL')]) }),
  });

interface PodParts {
  readonly name: string;
  readonly container: z.ZodType;
  readonly volumes: z.ZodType;
}

const podSchema = ({ name, container, volumes }: PodParts) =>
  z.strictObject({
    apiVersion: z.literal('v1'),
    kind: z.literal('Pod'),
    metadata: z.strictObject({
      name: z.literal(name),
      labels: z.strictObject({ app: z.literal(name) }),
    }),
    spec: z.strictObject({
      restartPolicy: z.literal('Never'),
      hostNetwork: z.literal(true),
      terminationGracePeriodSeconds: z.int().positive(),
      containers: z.tuple([container]),
      volumes,
    }),
  });

export const agentPodSchema = podSchema({
  name: 'openclaw-agent',
  container: z.strictObject({
    name: z.literal('gateway'),
    image: z.literal('@IMAGE@'),
    imagePullPolicy: z.literal('IfNotPresent'),
    env: z.tuple([
      secretVariable('OPENCLAW_GATEWAY_TOKEN', 'openclaw-gateway-token', 'token'),
      secretVariable('FLEETBOT_OTLP_TOKEN', 'fleetbot-otlp-token', 'token'),
      optionalModelKey('MODEL_API_KEY'),
      optionalModelKey('ANTHROPIC_API_KEY'),
    ]),
    securityContext: confined(1000),
    volumeMounts: z.tuple([
      mount('tmp', '/tmp'),
      // Relabelled for this pod alone: its own volume, never a folder of the system.
      mount('state', '/state:Z'),
      readOnlyMount('settings', '/etc/fleetbot/agent'),
      mount('broker', '/run/fleetbot/broker.sock'),
    ]),
  }),
  volumes: z.tuple([
    z.strictObject({ name: z.literal('tmp'), emptyDir: z.strictObject({ medium: z.literal('Memory') }) }),
    keptVolume('state', 'openclaw-state'),
    hostVolume('settings', '/etc/fleetbot/agent', 'Directory'),
    hostVolume('broker', '/run/fleetbot/agent/broker.sock', 'Socket'),
  ]),
});

export const collectorPodSchema = podSchema({
  name: 'fleetbot-collector',
  container: z.strictObject({
    name: z.literal('collector'),
    image: z.literal('@COLLECTOR_IMAGE@'),
    imagePullPolicy: z.literal('IfNotPresent'),
    args: z.tuple([
      z.literal('--config=/etc/fleetbot/collector/collector.yaml'),
      z.literal('--config=/etc/fleetbot/collector/uplink.yaml'),
    ]),
    env: z.tuple([
      variable('FLEETBOT_MACHINE', '@NAME@'),
      secretVariable('FLEETBOT_OTLP_TOKEN', 'fleetbot-otlp-token', 'token'),
      variable('FLEETBOT_UPLINK_URL', '@UPLINK_URL@'),
      secretVariable('FLEETBOT_UPLINK_PASSWORD', 'fleetbot-uplink', 'password'),
      variable('SSL_CERT_FILE', '/etc/fleetbot/collector/ca.pem'),
    ]),
    securityContext: confined(10001),
    volumeMounts: z.tuple([mount('state', '/state:Z'), readOnlyMount('settings', '/etc/fleetbot/collector')]),
  }),
  volumes: z.tuple([
    keptVolume('state', 'fleetbot-collector'),
    hostVolume('settings', '/etc/fleetbot/collector', 'Directory'),
  ]),
});
