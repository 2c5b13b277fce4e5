import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const include = ['test/**/*.test.ts'];
const exclude = ['test/browser/**'];

/** What opens no database, or one of its own, need not be run on each engine. */
const withoutDatabase = [
  'bench',
  'compile',
  'completion',
  'docs',
  'graphql-documents',
  'graphql-plan',
  'graphql-plan-variables',
  'ids',
  'openapi',
  'outbound',
  'package',
  'tidy',
].map((name) => `test/${name}.test.ts`);

/** The whole suite, once on each engine. */
export default defineConfig({
  resolve: {
    // The file that Node itself loads: graphql must not be there twice.
    alias: [{ find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve('graphql')) }],
  },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'sqlite',
          include,
          exclude: [...exclude, 'test/**/*.postgres.test.ts'],
          globalSetup: 'test/sqlite.ts',
        },
      },
      {
        extends: true,
        test: {
          name: 'postgres',
          include,
          exclude: [...exclude, 'test/**/*.sqlite.test.ts', ...withoutDatabase],
          globalSetup: 'test/postgres.ts',
        },
      },
    ],
    // Much of the time is spent waiting for other processes.
    maxWorkers: 2,
    // A machine that others use too may stall: what passes then is named at the end of `.ci/run`.
    retry: process.env.CI ? 1 : 0,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // A test that is skipped, or the only one that runs, proves nothing.
    allowOnly: false,
  },
});
