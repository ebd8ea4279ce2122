import { z } from 'zod';

/** What our pods say, one container each; strict, so that nothing of them can be left out below. */
const podSchema = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('Pod'),
  metadata: z.strictObject({ name: z.string(), labels: z.record(z.string(), z.string()) }),
  spec: z.strictObject({
    restartPolicy: z.literal('Never'),
    hostNetwork: z.literal(true),
    terminationGracePeriodSeconds: z.int(),
    containers: z.tuple([
      z.strictObject({
        name: z.string(),
        image: z.string(),
        imagePullPolicy: z.literal('IfNotPresent'),
        args: z.array(z.string()).default([]),
        env: z.array(
          z.union([
            z.strictObject({ name: z.string(), value: z.string() }),
            z.strictObject({
              name: z.string(),
              valueFrom: z.strictObject({
                secretKeyRef: z.strictObject({
                  name: z.string(),
                  key: z.string(),
                  optional: z.literal(true).optional(),
                }),
              }),
            }),
          ]),
        ),
        securityContext: z.strictObject({
          runAsNonRoot: z.literal(true),
          runAsUser: z.int().positive(),
          runAsGroup: z.int().positive(),
          readOnlyRootFilesystem: z.literal(true),
          allowPrivilegeEscalation: z.literal(false),
          capabilities: z.strictObject({ drop: z.tuple([z.literal('ALL')]) }),
        }),
        volumeMounts: z.array(
          z.strictObject({ name: z.string(), mountPath: z.string(), readOnly: z.literal(true).optional() }),
        ),
      }),
    ]),
    volumes: z.array(
      z.union([
        z.strictObject({ name: z.string(), emptyDir: z.strictObject({ medium: z.literal('Memory') }) }),
        z.strictObject({
          name: z.string(),
          persistentVolumeClaim: z.strictObject({ claimName: z.string() }),
        }),
        // Neither form makes what is not there; a pod looks at the type, too.
        z.strictObject({
          name: z.string(),
          hostPath: z.strictObject({ path: z.string(), type: z.enum(['Directory', 'Socket']) }),
        }),
      ]),
    ),
  }),
});

const kubeSchema = z.strictObject({
  Yaml: z.string(),
  Network: z.literal('host'),
  ExitCodePropagation: z.literal('any'),
  LogDriver: z.string(),
});

/** A command line of `podman run`: options in any order, then the image and its arguments. */
export interface PodmanRun {
  readonly options: ReadonlySet<string>;
  readonly command: readonly string[];
}

/**
 * What `podman run` has to be told for the container of a pod, under Quadlet's [Kube] and [Service] for it.
 * @throws where one of them says what this does not know
 */
export function podmanRunOf(
  yaml: unknown,
  unit: Readonly<Record<string, Record<string, string>>>,
): PodmanRun {
  const { spec } = podSchema.parse(yaml);
  const kube = kubeSchema.parse(unit.Kube);
  const [container] = spec.containers;
  const { runAsUser, runAsGroup } = container.securityContext;
  const volumes = new Map(spec.volumes.map((volume) => [volume.name, volume]));
  const options = [
    // As Quadlet does it for a container of its own: conmon is the main process, in the unit's own control group.
    ...['--detach', '--rm', '--replace', '--name=%N', '--cgroups=split', '--sdnotify=conmon'],
    ...['--network=host', '--pull=missing', `--log-driver=${kube.LogDriver}`],
    `--stop-timeout=${spec.terminationGracePeriodSeconds}`,
    // A pod inherits it; podman 4.3 sets it to 0 where it is not told.
    `--oom-score-adj=${unit.Service?.OOMScoreAdjust}`,
    ...[`--user=${runAsUser}:${runAsGroup}`, '--cap-drop=all', '--security-opt=no-new-privileges'],
    ...['--read-only', '--read-only-tmpfs=false'],
    ...container.env.map((variable) => {
      if ('value' in variable) return `--env=${variable.name}=${variable.value}`;
      const { name, key } = variable.valueFrom.secretKeyRef;
      return `--secret=${name}.${key},type=env,target=${variable.name}`;
    }),
    ...container.volumeMounts.map(({ name, mountPath, readOnly }) => {
      const volume = volumes.get(name);
      if (volume === undefined) throw new Error(`There is no volume ${name}`);
      if ('emptyDir' in volume) return `--tmpfs=${mountPath}`;
      const source = 'hostPath' in volume ? volume.hostPath.path : volume.persistentVolumeClaim.claimName;
      return `--volume=${source}:${mountPath}${readOnly ? ':ro' : ''}`;
    }),
  ];
  return { options: new Set(options), command: [container.image, ...container.args] };
}

/** Reads an ExecStart= of ours: words between blanks, some of them between double quotes. */
export function readPodmanRun(execStart: string): PodmanRun {
  const [program, verb, ...words] = (execStart.match(/"[^"]*"|\S+/g) ?? []).map((word) =>
    word.replaceAll('"', ''),
  );
  if (program !== '/usr/bin/podman' || verb !== 'run') throw new Error(`Not podman run: ${execStart}`);
  const image = words.findIndex((word) => !word.startsWith('--'));
  const options = words.slice(0, image);
  if (new Set(options).size < options.length) throw new Error(`An option is there twice: ${execStart}`);
  return { options: new Set(options), command: words.slice(image) };
}
