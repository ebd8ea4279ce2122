import type { Logger } from 'pino';
import ssh2 from 'ssh2';
import { SettingsError } from '../fleet/errors.ts';
import type { Machine } from '../fleet/machine.ts';
import { ConnectionPool, type ConnectionStats, defaultIdleCloseMs } from './connection-pool.ts';
import { Gate } from './gate.ts';

/** The machines as seen from here. */
export interface EdgeMachines {
  /** The gate of a machine, as the fleet file describes it now. Cheap: nothing is opened before a verb. */
  gate(machine: Machine): Gate;
  /** Of the SSH connections, for whoever watches. */
  stats(): ConnectionStats;
  /** Ends every connection and every verb on its way. */
  close(): Promise<void>;
}

/**
 * Reaches machines over SSH with one private key (OpenSSH or PEM text, without passphrase). Connections are
 * kept for `idleCloseMs`.
 * @throws SettingsError when the key cannot be read
 */
export function createMachines(options: {
  privateKey: string;
  log: Logger;
  clock?: () => number;
  idleCloseMs?: number;
}): EdgeMachines {
  const { privateKey, log, clock = Date.now, idleCloseMs = defaultIdleCloseMs } = options;
  const key = ssh2.utils.parseKey(privateKey);
  if (key instanceof Error) {
    throw new SettingsError(
      `The SSH private key cannot be read (${key.message}). Give an OpenSSH or PEM private key without a passphrase.`,
      { cause: key },
    );
  }
  const pool = new ConnectionPool({ privateKey, log, clock, idleCloseMs });
  return {
    gate: (machine) => new Gate(machine, pool, clock),
    stats: () => pool.stats(),
    close: () => pool.close(),
  };
}
