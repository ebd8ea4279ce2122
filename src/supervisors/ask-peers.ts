import { setTimeout as sleep } from 'node:timers/promises';
import type { Machine } from '../fleet/machine.ts';
import { peersFor } from '../fleet/peers.ts';
import type { Run } from '../fleet/run.ts';
import type { Drive } from './context.ts';
import { inStep } from './in-step.ts';
import type { Asked } from './ports.ts';

/**
 * Has the supervisors of other machines check for what the run found, where the fleet file or the agent wants that.
 * Returns what that changes in the run's record. Never throws, and takes no longer than `peersTimeoutMs`: what goes
 * wrong here is in the trace and the log.
 * @param run as it ends on the machine
 */
export async function askPeers(drive: Drive, run: Run): Promise<Pick<Run, 'peers'>> {
  if (drive.interruption.byPerson) return {};
  try {
    const machines = peersFor(drive.fleet(), drive.machine, run);
    const asked = machines.length === 0 ? undefined : await ask(drive, run, machines);
    return asked ? { peers: { campaign: asked.campaign, machines: [...asked.machines] } } : {};
  } catch (error) {
    drive.log.warn({ err: error }, 'the supervisors of other machines could not be asked');
    return {};
  }
}

function ask(drive: Drive, run: Run, machines: readonly Machine[]): Promise<Asked | undefined> {
  return inStep(drive, 'peers.ask', async (step) => {
    step.set({ 'fleet.peers_wanted': machines.map(({ name }) => name).join(' ') });
    const asked = await inTime(drive.peers.ask(run, machines), drive.settings.peersTimeoutMs);
    if (asked) step.set({ 'fleet.campaign': asked.campaign, 'fleet.peers': asked.machines.join(' ') });
    return asked;
  });
}

async function inTime<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  const done = new AbortController();
  const tooLate = sleep(timeoutMs, undefined, { signal: done.signal }).then(() => {
    throw new Error(`Asking them took longer than ${timeoutMs} ms. Check that Redis is up.`);
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    done.abort();
    tooLate.catch(() => undefined);
  }
}
