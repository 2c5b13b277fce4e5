import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { openDatabase } from '../src/database/database.ts';
import { migrate } from '../src/database/migrate.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** An SQLite file without rows, of which the tests take copies. */
    template: string;
  }
}

/** Makes the file of which the tests take copies, so that not each of them migrates its own. */
export default async function setup(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-template-'));
  const file = join(folder, 'gateway.db');
  const template = await openDatabase(`sqlite:${file}`);
  await migrate(template);
  await template.close();
  project.provide('template', file);
  return () => rmSync(folder, { recursive: true });
}
