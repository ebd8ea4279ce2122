import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from './until.ts';

const mount = '/sys/fs/cgroup';
/** The hierarchies in which a machine has a group: both of a hybrid host, or the one of version 2. */
const hierarchies = existsSync(join(mount, 'unified'))
  ? [join(mount, 'unified'), join(mount, 'systemd')].filter(existsSync)
  : [mount];
const endTimeoutMs = 10_000;

/** The groups of a machine's processes: one for its own, one for what this computer runs in its network. */
export class MachineCgroup {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  async create(): Promise<void> {
    for (const part of ['machine', 'host'])
      for (const folder of hierarchies) await mkdir(join(folder, this.#name, part), { recursive: true });
  }

  /** Program and arguments that run others in one of the groups. */
  wrap(part: 'machine' | 'host', argv: readonly string[]): string[] {
    return moved(
      hierarchies.map((folder) => join(folder, this.#name, part)),
      argv,
    );
  }

  /** Program and arguments that end everything in both groups at once. */
  get killCommand(): string {
    return `echo 1 > ${join(this.#root, 'cgroup.kill')}`;
  }

  /** Ends everything in both groups; resolves when it is gone. */
  async kill(): Promise<void> {
    if (!existsSync(this.#root)) return;
    await writeFile(join(this.#root, 'cgroup.kill'), '1');
    await until(async () => {
      const events = await readFile(join(this.#root, 'cgroup.events'), 'utf8');
      if (!events.includes('populated 0')) throw new Error(`processes of ${this.#name} do not end`);
    }, endTimeoutMs);
  }

  /** Removes the groups, which must be empty. */
  async remove(): Promise<void> {
    for (const folder of hierarchies) await removeTree(join(folder, this.#name));
  }

  get #root(): string {
    return join(hierarchies[0] ?? mount, this.#name);
  }
}

async function removeTree(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (entry.isDirectory()) await removeTree(join(folder, entry.name));
  await rmdir(folder);
}

/**
 * Program and arguments that run others in the group of a running process: systemd asks who calls it, and knows only
 * those in its own groups.
 */
export function besideProcess(pid: number, argv: readonly string[]): string[] {
  const [, path = ''] = /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8')) ?? [];
  return moved([join(hierarchies[0] ?? mount, path)], argv);
}

function moved(groups: readonly string[], argv: readonly string[]): string[] {
  const moves = groups.map((group) => `echo $$ > ${join(group, 'cgroup.procs')}`);
  return ['sh', '-c', `${moves.join('; ')}; exec "$@"`, 'sh', ...argv];
}
