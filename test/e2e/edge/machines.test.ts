import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newKeyPair } from '../../../src/sandbox/key-pair.ts';
import { type EdgeMachine, startEdgeMachines } from '../../support/edge-machines/edge-machine.ts';
import { OpenSsh } from '../../support/edge-machines/open-ssh.ts';
import { eventually } from '../parts/eventually.ts';

const names = ['bare-01', 'bare-02', 'bare-03'];
const unreachable = 255;

describe('machines that nobody has set up yet', () => {
  const key = newKeyPair();
  let machines: readonly EdgeMachine[] = [];
  let machine: EdgeMachine;
  let ssh: OpenSsh;

  beforeAll(async () => {
    machines = await startEdgeMachines(names.map((name) => ({ name, disksMiB: { '/srv/data': 64 } })));
    const [first] = machines;
    if (!first) throw new Error('no machine');
    machine = first;
    for (const each of machines)
      await each.run(
        ['sh', '-c', 'mkdir -p -m 700 /root/.ssh && cat > /root/.ssh/authorized_keys'],
        `${key.publicKey}\n`,
      );
    ssh = new OpenSsh(machine, 'root', key);
  });

  afterAll(async () => {
    ssh?.[Symbol.dispose]();
    for (const each of machines) await each[Symbol.asyncDispose]();
  });

  const overSsh = async (...command: string[]) => {
    const { exitCode, stdout, stderr } = await ssh.ssh([], command);
    if (exitCode !== 0) throw new Error(stderr);
    return stdout.trim();
  };

  it('are three, each with its name, disk, network and systemd, and nothing of fleetbot', async () => {
    for (const [index, each] of machines.entries()) {
      expect(await each.run(['hostname'])).toBe(`${names[index]}\n`);
      expect(await each.run(['systemctl', 'is-system-running', '--wait'])).toBe('running\n');
      expect(await each.run(['df', '--output=fstype', '/', '/srv/data'])).toBe('Type\next4\next4\n');
      expect((await each.attempt(['getent', 'passwd', 'fleetbot', 'openclaw'])).stdout).toBe('');
    }
  });

  it('answer SSH with a host key of their own', async () => {
    expect(await overSsh('hostname')).toBe('bare-01');
    expect(new Set(machines.map(({ hostKey }) => hostKey)).size).toBe(names.length);
  });

  it('have a kernel log of their own', async () => {
    await machine.kernelSays(4, 'something is wrong with this kernel');
    await eventually(async () =>
      expect(await machine.run(['journalctl', '--dmesg', '--priority=warning'])).toContain('is wrong'),
    );
    expect(await machines[1]?.run(['journalctl', '--dmesg'])).not.toContain('is wrong');
  });

  it('come back after a reboot and after a power cut, with their disks', async () => {
    await overSsh('echo kept > kept && sync');
    await machine.reboot();
    expect(await overSsh('cat', 'kept')).toBe('kept');
    await machine.kill();
    expect((await ssh.ssh([], ['true'])).exitCode).toBe(unreachable);
    await machine.boot();
    expect(await overSsh('cat', 'kept')).toBe('kept');
  });

  it('are cut off while their link is, and only they', async () => {
    await machine.network.cut();
    expect((await ssh.ssh([], ['true'])).exitCode).toBe(unreachable);
    await machine.network.restore();
    expect(await overSsh('hostname')).toBe('bare-01');
  });
});
