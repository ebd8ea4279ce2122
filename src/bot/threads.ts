import type { Origin } from '../fleet/request.ts';
import type { Run } from '../fleet/run.ts';
import type { Views } from './ports.ts';
import { cardPartOf } from './publisher/approval-parts.ts';
import { givenUp, homeOf, rootOf } from './publisher/home.ts';
import type { Standing } from './publisher/part.ts';

/** Where runs stand in Slack. */
export interface Threads {
  /** The thread in which the run is answered; undefined where nothing stands in Slack yet. */
  root(run: Run): Promise<string | undefined>;
  /** The address of the card on which the run's question stands; undefined where it is not known. */
  card(run: Run): Promise<string | undefined>;
  /** The address of the thread under a record; undefined where it is not known. */
  link(origin: Origin): Promise<string | undefined>;
}

/**
 * @param options.workspaceUrl as `auth.test` tells it, ending in `/`; called for every address
 */
export function createThreads({
  views,
  workspaceUrl,
}: {
  views: Pick<Views, 'parts'>;
  workspaceUrl: () => string | undefined;
}): Threads {
  /** As `homeOf`, for what may not stand yet. */
  async function rootIn(standing: Standing, { request: { origin } }: Run): Promise<string | undefined> {
    const main = standing.main?.posted;
    const home = await homeOf(origin, standing, { views, exists: async () => true });
    const root = typeof home === 'string' ? undefined : (home.threadTs ?? (main && rootOf(main)));
    return root === givenUp ? undefined : root;
  }

  return {
    async root(run) {
      return rootIn(await views.parts(run.request.campaign ?? run.id), run);
    },

    async card(run) {
      const url = workspaceUrl();
      const standing = await views.parts(run.request.campaign ?? run.id);
      const posted = standing[cardPartOf(run)]?.posted;
      if (url === undefined || posted === undefined) return undefined;
      // As `chat.getPermalink` answers for a message in a thread, without a call for each.
      const root = posted.thread ?? (await rootIn(standing, run));
      const thread = root === undefined ? '' : `?thread_ts=${root}&cid=${posted.channel}`;
      return `${url}archives/${posted.channel}/p${posted.ts.replace('.', '')}${thread}`;
    },

    async link({ under }) {
      const url = workspaceUrl();
      const posted = under === undefined ? undefined : (await views.parts(under)).main?.posted;
      if (url === undefined || posted === undefined || posted.ts === givenUp) return undefined;
      return `${url}archives/${posted.channel}/p${rootOf(posted).replace('.', '')}`;
    },
  };
}
