import { defineConfig } from 'vitest/config';

/** The programs that are installed on a machine, as processes of their own: they take their time. */
const machinePrograms = ['gate', 'broker', 'agent-run'].map((name) => `test/edge/${name}*.test.ts`);

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/chaos/**', 'test/bench/**', ...machinePrograms],
          // Most of the time is waiting for servers, not computing.
          maxWorkers: 4,
          testTimeout: 20_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts', ...machinePrograms],
          testTimeout: 240_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
