import type { Campaign } from '../fleet/campaign.ts';
import type { Fleet, PersonLimits } from '../fleet/fleet.ts';
import type { Halt } from '../fleet/halt.ts';
import type { Limits } from '../fleet/machine.ts';
import type { Request } from '../fleet/request.ts';

/** What the dispatcher needs of the rest. Plugged in by `main.ts`. What resolves is on disk. */

/** The fleet file in force. */
export type CurrentFleet = () => Fleet;

/** Hands requests in. Rejects with StoreUnavailableError when the store does not answer. */
export interface Requests {
  /**
   * Stores all of them or none, each as a queued run in its machine's inbox; an event id that was accepted before
   * changes nothing and returns the runs of then.
   * @throws LimitError when the requester or a machine is over a limit
   */
  accept(
    requests: readonly Request[],
    limits: {
      readonly perPerson: PersonLimits;
      readonly perMachine: (name: string) => Pick<Limits, 'maxWaiting' | 'requestsPerMinute'> | undefined;
    },
    campaign?: Campaign,
  ): Promise<{ readonly duplicate: boolean; readonly runIds: readonly string[] }>;
}

/** Halts that hold for any machine. */
export interface Halts {
  active(): Promise<readonly Halt[]>;
}

/** Makes a request ours (see `Request.seal`); undefined where this process has no key. */
export type SealRequest = ((request: Request) => string) | undefined;

export type Clock = () => number;
