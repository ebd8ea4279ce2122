import type { Run } from '../fleet/run.ts';
import type { Views } from './ports.ts';
import { cardPartOf } from './publisher/approval-parts.ts';

/** Where runs stand in Slack. */
export interface Threads {
  /** The thread in which the run is answered; undefined where nothing stands in Slack yet. */
  root(run: Run): Promise<string | undefined>;
  /** The address of the card on which the run's question stands; undefined where it is not known. */
  card(run: Run): Promise<string | undefined>;
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
  return {
    async root({ id, request: { campaign, origin } }) {
      if (origin.threadTs !== undefined) return origin.threadTs;
      const parts = await views.parts(campaign ?? id);
      return parts.main?.posted?.ts;
    },

    async card(run) {
      const { id, request } = run;
      const url = workspaceUrl();
      const parts = await views.parts(request.campaign ?? id);
      const posted = parts[cardPartOf(run)]?.posted;
      if (url === undefined || posted === undefined) return undefined;
      // As `chat.getPermalink` answers for a message in a thread, without a call for each.
      const root = request.origin.threadTs ?? parts.main?.posted?.ts;
      const thread = root === undefined ? '' : `?thread_ts=${root}&cid=${posted.channel}`;
      return `${url}archives/${posted.channel}/p${posted.ts.replace('.', '')}${thread}`;
    },
  };
}
