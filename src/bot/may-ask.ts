import type { Machine } from '../fleet/machine.ts';
import type { Task } from '../fleet/request.ts';
import type { PersonRef } from '../fleet/requester.ts';
import { Asker } from './people.ts';
import type { Services } from './services.ts';

/** Which of the machines a person may give a task to, and why not the others. */
export interface Asked {
  readonly allowed: readonly Machine[];
  /** Words for people, the same for each machine. */
  readonly why: string;
  /** Slack answered: asked again at this moment it would be the same. */
  readonly isCertain: boolean;
}

/** What somebody may do at this moment who set up what happens now. Doubt denies. */
export async function mayAsk(
  { userId, teamId }: PersonRef,
  verb: Task['kind'],
  machines: readonly Machine[],
  { fleet, directory }: Pick<Services, 'fleet' | 'directory'>,
): Promise<Asked> {
  const asker = new Asker(userId, teamId, fleet.current(), directory);
  const { allowed } = await asker.permission(verb, machines);
  const doubt = (await asker.exclusion()) ?? (await asker.doubt());
  const why = `whoever set it up may not ${verb} it now`;
  const isCertain = await asker.isCertain();
  return { allowed, why: doubt === undefined ? why : `${why} (${doubt})`, isCertain };
}
