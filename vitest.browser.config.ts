import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

const { projects: _engines, ...test } = base.test ?? {};

export default defineConfig({
  ...base,
  test: { ...test, include: ['test/browser/**/*.test.ts'], globalSetup: 'test/sqlite.ts' },
});
