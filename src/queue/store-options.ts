import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { Disk } from './durability.ts';
import type { Keys } from './keys.ts';
import type { QueueSettings } from './queue-settings.ts';

/** What those of the queue work with who keep records and wake machines. */
export interface StoreOptions {
  /** A connection for requests. */
  readonly redis: Redis;
  readonly disk: Disk;
  readonly keys: Keys;
  readonly clock: () => number;
  readonly settings: QueueSettings;
  readonly log: Logger;
  /** Wakes machines that got work or may go on. Never rejects: see `Wakes`. */
  readonly wake: (machines: Iterable<string>) => Promise<void>;
}
