import { defineConfig } from 'vitest/config';

/** Programs as processes of their own, those of a machine and our own: they take their time. */
const programs = [
  ...['gate', 'broker', 'agent-run'].map((name) => `test/edge/${name}*.test.ts`),
  'test/sandbox/machine/actions.test.ts',
  'test/commands.test.ts',
];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/chaos/**', 'test/bench/**', ...programs],
          // Most of the time is waiting for servers, not computing.
          maxWorkers: 4,
          testTimeout: 20_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts', ...programs],
          testTimeout: 240_000,
          hookTimeout: 600_000,
          // Machines, ports and packages are taken under locks; most of the time is waiting for machines to boot.
          maxWorkers: 2,
        },
      },
    ],
  },
});
