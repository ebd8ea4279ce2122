import type { Check } from '../check.ts';
import type { Machine } from '../machine.ts';
import { certs } from './certs.ts';
import { customCheck } from './custom.ts';
import { disk } from './disk.ts';
import { kernel } from './kernel.ts';
import { load } from './load.ts';
import { logs } from './logs.ts';
import { memory } from './memory.ts';
import { network } from './network.ts';
import { services } from './services.ts';
import { time } from './time.ts';
import { updates } from './updates.ts';

/** The checks that every machine can be given. A new one is one file and one word here. */
export const builtInChecks: readonly Check[] = [
  disk,
  memory,
  load,
  services,
  logs,
  kernel,
  time,
  network,
  updates,
  certs,
];

/** The checks that may run on this machine: the built-in ones that it names, then its own. */
export function checksOf(machine: Machine): readonly Check[] {
  return [
    ...builtInChecks.filter((check) => machine.checks.includes(check.name)),
    ...Object.entries(machine.customChecks).map(([name, spec]) => customCheck(name, spec)),
  ];
}

/** The machine's check of this name; undefined when it has none or may not run it. */
export function checkOf(machine: Machine, name: string): Check | undefined {
  return checksOf(machine).find((check) => check.name === name);
}
