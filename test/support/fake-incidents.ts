import type { Incidents } from '../../src/bot/ports.ts';
import { StoreUnavailableError } from '../../src/fleet/errors.ts';
import type { Incident, Investigation } from '../../src/fleet/incident.ts';

/** The `Incidents` port in memory: incidents are as the test puts them. */
export class FakeIncidents implements Incidents {
  readonly stored = new Map<string, Incident>();
  /** Makes every call fail as when Redis is away. */
  away = false;

  async incident(id: string): Promise<Incident | undefined> {
    this.#reach();
    return this.stored.get(id);
  }

  async noteRuns(id: string, investigations: readonly Investigation[]): Promise<void> {
    this.#reach();
    const incident = this.stored.get(id);
    if (incident === undefined) return;
    this.stored.set(id, { ...incident, investigations: [...incident.investigations, ...investigations] });
  }

  #reach(): void {
    if (this.away) throw new StoreUnavailableError('Redis did not answer.');
  }
}
