import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { MachineCgroup } from './cgroup.ts';
import { networkOf } from './network.ts';
import { attemptProgram } from './run-program.ts';

/** Not in /tmp, which may be in memory. */
const folder = '/var/tmp/fleetbot-edge-machines';
/** Numbers of machines, and of their networks 10.99.N.0/24. */
const indices = [210, 211, 212, 213, 214, 215, 216, 217, 218, 219] as const;

const ownerSchema = z.object({ pid: z.int(), started: z.string() });

/** A machine's place on this computer. */
export interface Slot {
  readonly index: number;
  /** Of its namespace, link, cgroup and folder. */
  readonly name: string;
  readonly folder: string;
}

/** Takes free places. What killed tests left in others is cleaned up before. */
export async function claimSlots(count: number): Promise<Slot[]> {
  await mkdir(folder, { recursive: true });
  return await alone(join(folder, 'lock'), async () => {
    const slots = indices.map(slotOf);
    for (const slot of slots) if (existsSync(slot.folder) && !isOwned(slot)) await releaseSlot(slot);
    const free = slots.filter((slot) => !existsSync(slot.folder)).slice(0, count);
    if (free.length < count)
      throw new Error(`Too few of ${indices.length} edge machines are free (${await readdir(folder)}).`);
    for (const slot of free) {
      await mkdir(slot.folder);
      await writeFile(ownerFile(slot), JSON.stringify({ pid: process.pid, started: startOf(process.pid) }));
    }
    return free;
  });
}

/** Ends and removes everything in a place, however far it was made. */
export async function releaseSlot(slot: Slot): Promise<void> {
  const cgroup = new MachineCgroup(slot.name);
  await cgroup.kill();
  // What was mounted last goes first.
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n').reverse();
  for (const line of mounts) {
    const [, point = ''] = line.split(' ');
    if (point.startsWith(`${slot.folder}/`)) await attemptProgram(['umount', '--lazy', point]);
  }
  await attemptProgram(['ip', 'netns', 'del', networkOf(slot.index).namespace]);
  await attemptProgram(['ip', 'link', 'del', slot.name]);
  await cgroup.remove();
  await rm(slot.folder, { recursive: true, force: true });
}

function slotOf(index: number): Slot {
  const name = `fb-${index}`;
  return { index, name, folder: join(folder, name) };
}

const ownerFile = (slot: Slot) => join(slot.folder, 'owner.json');

function isOwned(slot: Slot): boolean {
  if (!existsSync(ownerFile(slot))) return false;
  const { pid, started } = ownerSchema.parse(JSON.parse(readFileSync(ownerFile(slot), 'utf8')));
  return startOf(pid) === started;
}

/** When a process started, in the kernel's ticks since boot; empty where there is none: numbers are used again. */
function startOf(pid: number): string {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return '';
  // The name of the program, in brackets, may hold spaces.
  const fields = readFileSync(file, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return fields[19] ?? '';
}

/** Does something while no other process of this computer does it. */
async function alone<T>(lockFile: string, work: () => Promise<T>): Promise<T> {
  const holder = spawn('flock', [lockFile, 'sh', '-c', 'echo; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    await once(holder.stdout, 'data');
    return await work();
  } finally {
    holder.stdin.end();
  }
}
