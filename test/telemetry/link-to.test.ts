import { expect, it } from 'vitest';
import { createLinkTo } from '../../src/telemetry/link-to.ts';

const linkTo = createLinkTo({ publicUrl: 'https://mlflow.example.com/', experimentId: '7' });
const page = 'https://mlflow.example.com/#/experiments/7/traces?';

it.each(['campaign', 'incident'] as const)('a link to all traces of a %s filters by its tag', (kind) => {
  const id = 'c-mz1abc-0f3k';
  const link = linkTo(kind === 'campaign' ? { campaign: id } : { incident: id });
  const url = 'url' in link ? link.url : '';
  expect(url.slice(0, page.length)).toBe(page);
  expect(Object.fromEntries(new URLSearchParams(url.slice(page.length)))).toEqual({
    tag: `fleet.${kind}=${id}`,
    filter: `TAG::=::${id}::fleet.${kind}`,
    startTimeLabel: 'ALL',
  });
});

it('an id cannot add to what is looked for', () => {
  const link = linkTo({ campaign: 'c-1&tag=fleet.machine=web-01' });
  const query = new URLSearchParams('url' in link ? link.url.slice(page.length) : '');
  expect(query.getAll('tag')).toEqual(['fleet.campaign=c-1%26tag%3Dfleet.machine%3Dweb-01']);
});
