import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createMachines } from '../../src/edge-client/create-machines.ts';
import { waitUntilReady } from '../../src/edge-client/readiness.ts';
import { tooLongAnswer, tooManyToolCalls } from '../../src/edge-client/transports/agent-errors.ts';
import { FleetFileError, InputError, MachineError, toFailure } from '../../src/fleet/errors.ts';
import { explainError, explainFailure } from '../../src/fleet/explain-error.ts';
import type { Limits } from '../../src/fleet/machine.ts';
import { newKeyPair } from '../../src/sandbox/key-pair.ts';
import { machineRecord } from '../support/machine-record.ts';

const internal = explainFailure({ code: 'internal', message: '' });

/** Every code that errors.ts names: as a member of a union, or handed to the base class. */
const source = readFileSync('src/fleet/errors.ts', 'utf8');
const codes = [...source.matchAll(/(?:\| |super\()'([a-z-]+)'/g)].flatMap(([, code]) => code ?? []);

/** Errors whose messages are written for the person who asked. */
const forPeople = [
  ...['input-invalid', 'not-allowed', 'limit-exceeded', 'locked'],
  ...['machine-unknown', 'check-unknown', 'policy-drift', 'inertness-unknown'],
  ...['run-timeout', 'token-limit', 'cost-limit', 'not-sealed', 'signer-refused', 'signer-away'],
  ...['action-unknown', 'action-refused', 'action-not-begun'],
];

test('the list of codes is found', () => {
  expect(codes).toEqual(expect.arrayContaining(['fleet-file-invalid', 'unreachable', 'agent-silent']));
  expect(codes.length).toBeGreaterThan(20);
});

test.each(codes)('%s is explained by a sentence of its own that says what to do', (code) => {
  const text = explainFailure({ code, message: 'ECONNREFUSED 10.0.0.7:22 at Socket.connect (net.js:1)' });
  expect(text).not.toBe(internal);
  if (!forPeople.includes(code)) expect(text).not.toMatch(/ECONN|net\.js/);
  expect(explainFailure({ code, message: '' })).toMatch(/\.$/);
});

test('what was written for the person is told as it is', () => {
  expect(explainError(new InputError('Type a machine first.'))).toBe('Type a machine first.');
  expect(explainError(new MachineError('locked', 'rhel-01 is locked: disk swap.'))).toBe(
    'rhel-01 is locked: disk swap.',
  );
});

test('a machine that gives itself another name is not told to be of another version', () => {
  const message = 'web-01 says that it is sandbox-01. Correct its address or its name in the fleet file.';
  const text = explainFailure({ code: 'protocol', message });
  expect(text).toContain('Another machine answered');
  expect(text).not.toContain('version');
});

test('a stack, a path or an unknown code never reaches a person', () => {
  for (const thrown of [new TypeError('x is undefined'), 'text', undefined, null]) {
    expect(explainError(thrown)).toBe(internal);
  }
  expect(explainFailure({ code: 'toString', message: 'x' })).toBe(internal);
  const file = new FleetFileError('/etc/fleet.yaml', [{ line: 1, path: 'a', problem: 'b', cure: 'c' }]);
  expect(explainFailure(toFailure(file))).not.toContain('/etc');
});

describe('what a machine error says beyond its code is told', () => {
  const failureOf = async (port: number, limits: Partial<Limits> = {}): Promise<unknown> => {
    const machines = createMachines({ privateKey: newKeyPair().privateKey, log: pino({ enabled: false }) });
    const machine = machineRecord({ port, hostKey: newKeyPair().publicKey }, { limits });
    try {
      return await machines
        .gate(machine)
        .status()
        .catch((error: unknown) => error);
    } finally {
      await machines.close();
    }
  };
  const listen = async (): Promise<{ server: Server; port: number }> => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { server, port: z.object({ port: z.number() }).parse(server.address()).port };
  };

  test('nothing listens on its port', async () => {
    const { server, port } = await listen();
    server.close();
    await once(server, 'close');
    expect(explainError(await failureOf(port))).toMatch(/could not be reached over SSH: it refused/);
  });

  test('it does not answer', async () => {
    const { server, port } = await listen();
    try {
      const failure = await failureOf(port, { connectTimeoutMs: 50 });
      expect(explainError(failure)).toMatch(/could not be reached over SSH: there was no answer/);
    } finally {
      server.close();
    }
  });

  test('its host name is unknown', () => {
    const message = 'rhel-01 cannot be reached over SSH at rhel-01:22 (getaddrinfo ENOTFOUND rhel-01).';
    expect(explainFailure({ code: 'unreachable', message })).toMatch(/host name could not be looked up/);
  });

  test('the connection broke', () => {
    const message = 'The SSH connection to rhel-01 broke (Keepalive timeout). Try again.';
    expect(explainFailure({ code: 'unreachable', message })).toBe(
      explainFailure({ code: 'unreachable', message: '' }),
    );
  });

  test('its agent talked without end', () => {
    expect(explainError(tooLongAnswer('rhel-01', 1_000))).toMatch(/answered more than it may/);
    expect(explainError(tooManyToolCalls('rhel-01', 40))).toMatch(/more tool calls than it may/);
  });

  test('its agent ended before it was ready', async () => {
    const open = () => Promise.reject(new MachineError('unit-failed', 'the unit is failed'));
    const failure = await waitUntilReady({ machine: 'rhel-01', open, timeoutMs: 10_000 }).catch(
      (error: unknown) => error,
    );
    expect(explainError(failure)).toMatch(/ended before it was ready/);
    expect(explainFailure({ code: 'agent-not-ready', message: '' })).toMatch(/did not become ready in time/);
  });
});
