import type { CustomRoute } from '@slack/bolt';

/** `/healthz`: the process answers. `/readyz`: Slack's requests can arrive. */
export function healthRoutes(ready: () => boolean): CustomRoute[] {
  const route = (path: string, healthy: () => boolean): CustomRoute => ({
    path,
    method: 'GET',
    handler: (_request, response) => {
      response.writeHead(healthy() ? 200 : 503, { 'content-type': 'text/plain' });
      response.end(healthy() ? 'ok\n' : 'not ready\n');
    },
  });
  return [route('/healthz', () => true), route('/readyz', ready)];
}
