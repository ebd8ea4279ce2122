import { expect, it } from 'vitest';
import { SettingsError } from '../../src/fleet/errors.ts';
import { readPagers } from '../../src/on-call/pagers-file.ts';

function problemsOf(text: string): string {
  try {
    readPagers(text);
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
  throw new Error('it was taken');
}

it('pagers stand there by name, as YAML', () => {
  const pagers = readPagers(`
primary: { kind: pagerduty, routingKey: R0123 }
eu:
  kind: pagerduty
  routingKey: R0456
  url: https://events.eu.example.com
hook: { kind: webhook, url: 'https://hooks.example.com/in', token: s3cret }
`);
  expect([...pagers]).toEqual([
    ['primary', { kind: 'pagerduty', routingKey: 'R0123', url: 'https://events.pagerduty.com' }],
    ['eu', { kind: 'pagerduty', routingKey: 'R0456', url: 'https://events.eu.example.com' }],
    ['hook', { kind: 'webhook', url: 'https://hooks.example.com/in', token: 's3cret' }],
  ]);
});

it('or as JSON', () => {
  const text = '{"hook": {"kind": "webhook", "url": "https://hooks.example.com/in"}}';
  expect(readPagers(text).get('hook')).toEqual({ kind: 'webhook', url: 'https://hooks.example.com/in' });
});

it('every problem is named with its place, and no secret is', () => {
  const told = problemsOf(`
primary: { kind: pagerduty, key: s3cret-1 }
Night: { kind: webhook, url: 'https://hooks.example.com/in' }
hook: { kind: webhook, url: 'ftp://s3cret-2', token: 's3cret 3' }
odd: { kind: carrier-pigeon }
`);
  expect(told).toContain('pager primary "routingKey" (line 2): is missing');
  expect(told).toContain('pager primary (line 2): key is not known here');
  expect(told).toContain('pager Night (line 3): a name has 1–39 lower-case letters');
  expect(told).toContain('pager hook "url" (line 4): must be a web address');
  expect(told).toContain('pager hook "token" (line 4): must be printable ASCII');
  expect(told).toContain('pager odd "kind" (line 5): needs a "kind": pagerduty or webhook');
  expect(told).not.toContain('s3cret');
});

it.each(['- a\n- list', '42'])('what is no group of pagers is refused: %j', (text) => {
  expect(problemsOf(text)).toContain('must be a group of pagers by name');
});

it('what is no YAML is refused by its line alone', () => {
  const told = problemsOf('hook: { kind: webhook, token: "s3cret');
  expect(told).toMatch(/line \d+ is no valid YAML/);
  expect(told).not.toContain('s3cret');
});
