import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { podmanRunOf, readPodmanRun } from './podman-run.ts';
import { readPod, readUnit } from './read-unit.ts';
import { agentPodSchema, agentUnitSchema, collectorPodSchema, collectorUnitSchema } from './unit-schemas.ts';

const units = join(import.meta.dirname, '../../edge/units');
const text = (name: string) => readFileSync(join(units, name), 'utf8');

/** The texts of a file in which one letter of one key is another: what Quadlet and podman would take in silence. */
function withTypos(file: string): string[] {
  const keys = [...file.matchAll(/^(?!\s*#)[\s-]*(?:\{ )?([A-Za-z]\w+)[=:]/gm)];
  return keys.map((key) => {
    const at = key.index + key[0].length - 2;
    return `${file.slice(0, at)}X${file.slice(at + 1)}`;
  });
}

describe.each([
  ['user/openclaw-agent.kube', readUnit, agentUnitSchema],
  ['user/openclaw-agent.yaml', readPod, agentPodSchema],
  ['user/fleetbot-collector.kube', readUnit, collectorUnitSchema],
  ['user/fleetbot-collector.yaml', readPod, collectorPodSchema],
] as const)('%s', (name, read, schema) => {
  it('says exactly what keeps the machine safe', () => {
    expect(() => schema.parse(read(text(name)))).not.toThrow();
  });

  it('is refused with any key misspelt', () => {
    const accepted = withTypos(text(name)).filter((typo) => schema.safeParse(read(typo)).success);
    expect(withTypos(text(name)).length).toBeGreaterThan(8);
    expect(accepted).toEqual([]);
  });
});

describe.each([
  ['openclaw-agent', ['MODEL_API_KEY', 'ANTHROPIC_API_KEY']],
  ['fleetbot-collector', ['uplink']],
])('without-quadlet/%s.service', (name, parts) => {
  const service = text(`without-quadlet/${name}.service`);
  const yaml = text(`user/${name}.yaml`);
  const kube = readUnit(text(`user/${name}.kube`));
  const exec = (unit: string) => readPodmanRun(readUnit(unit).Service?.ExecStart ?? '');

  it('runs the container of the pod', () => {
    expect(exec(service)).toEqual(podmanRunOf(readPod(yaml), kube));
  });

  it('runs it without what this machine was not given, too', () => {
    for (const part of parts) {
      // As setup does it: the lines that follow their marks, of the pod the lines that bear them or are optional.
      const less = service.replaceAll(new RegExp(`^ *# with ${part}\\n.*\\n`, 'gm'), '');
      const lessYaml = yaml
        .replaceAll(new RegExp(`^.*# with ${part}\\n`, 'gm'), '')
        .replaceAll(new RegExp(`^ *- name: ${part}\\n *valueFrom:.*optional: true.*\\n`, 'gm'), '');
      expect(lessYaml).not.toBe(yaml);
      expect(exec(less)).toEqual(podmanRunOf(readPod(lessYaml), kube));
    }
  });

  it('says the rest as Quadlet does', () => {
    const { Unit, Service, Install } = readUnit(service);
    const end = `/usr/bin/podman rm --force --ignore %N`;
    expect(Unit).toEqual({
      ...kube.Unit,
      // It is in a folder of every user's.
      ConditionUser: 'openclaw',
      RequiresMountsFor: '%t/containers',
    });
    expect(Service).toEqual({
      ...kube.Service,
      ...{ Type: 'notify', NotifyAccess: 'all', Delegate: 'yes', KillMode: 'mixed' },
      Environment: 'PODMAN_SYSTEMD_UNIT=%n',
      ...{ ExecStart: Service?.ExecStart, ExecStop: end, ExecStopPost: `-${end}` },
    });
    expect(Install).toEqual(kube.Install);
  });
});

describe('the agent', () => {
  it('is given time to end by itself before podman kills it, and podman before systemd does', () => {
    const unit = agentUnitSchema.parse(readUnit(text('user/openclaw-agent.kube')));
    const pod = agentPodSchema.parse(readPod(text('user/openclaw-agent.yaml')));
    expect(pod.spec.terminationGracePeriodSeconds).toBeLessThan(Number(unit.Service.TimeoutStopSec));
  });

  it('is killed before the collector, and both before the services of the machine, when memory runs out', () => {
    const agent = Number(
      agentUnitSchema.parse(readUnit(text('user/openclaw-agent.kube'))).Service.OOMScoreAdjust,
    );
    const collector = collectorUnitSchema.parse(readUnit(text('user/fleetbot-collector.kube')));
    const user = readUnit(text('system/user-limits.conf')).Service?.OOMScoreAdjust;
    expect(agent).toBeGreaterThan(Number(collector.Service.OOMScoreAdjust));
    expect(Number(collector.Service.OOMScoreAdjust)).toBeGreaterThan(Number(user));
    expect(Number(user)).toBeGreaterThan(0);
  });
});

describe('system/user-limits.conf', () => {
  it("limits everything that the agent's user runs, where the user cannot lift it", () => {
    expect(readUnit(text('system/user-limits.conf'))).toEqual({
      Service: {
        MemoryMax: '@MEMORY_MAX_MIB@M',
        MemorySwapMax: '0',
        TasksMax: '512',
        CPUWeight: '20',
        IOWeight: '20',
        LogRateLimitIntervalSec: '30s',
        LogRateLimitBurst: '200',
        OOMScoreAdjust: '500',
      },
    });
  });
});

describe('user/fleetbot-warm-up.service', () => {
  it('runs podman once, alone, when the user of the agent comes up, and once more where that failed', () => {
    expect(readUnit(text('user/fleetbot-warm-up.service'))).toMatchObject({
      Unit: { ConditionUser: 'openclaw' },
      Service: {
        Type: 'oneshot',
        RemainAfterExit: 'yes',
        ExecStart: '/usr/bin/podman unshare true',
        Restart: 'on-failure',
      },
      Install: { WantedBy: 'default.target' },
    });
  });
});
