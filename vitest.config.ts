import { defineConfig } from 'vitest/config';

/** Programs as processes of their own, crashes, storms and long random lives: they take their time. */
const slow = [
  ...['gate', 'broker', 'agent-run'].map((name) => `test/edge/${name}*.test.ts`),
  ...[
    'connect-failures',
    'outage',
    'reconciler-store',
    'approvals-storm',
    'approvals-model',
    'open-traces-kills',
    'ledger/crash',
    'ledger/verify-ledger',
  ].map((name) => `test/queue/${name}.test.ts`),
  ...['act-crash', 'act-properties', 'crash', 'ask-peers'].map((name) => `test/supervisors/${name}.test.ts`),
  'test/sandbox/machine/{actions,machine}.test.ts',
  'test/runtime/validate.test.ts',
  'test/signer/signer-process.test.ts',
  'test/telemetry/spool/kills.test.ts',
  'test/commands.test.ts',
  'test/main.test.ts',
];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/chaos/**', 'test/bench/**', ...slow],
          // Most of the time is waiting for servers, not computing.
          maxWorkers: 4,
          testTimeout: 20_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts', ...slow],
          testTimeout: 240_000,
          hookTimeout: 600_000,
          // Machines, ports and packages are taken under locks; most of the time is waiting for machines to boot.
          maxWorkers: 2,
        },
      },
    ],
  },
});
