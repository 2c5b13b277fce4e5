import { execFile } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { openGateway } from './harness.ts';

const run = promisify(execFile);

test('a database that cannot be written to is not served', async () => {
  const h = await openGateway();
  const file = join(h.folder, 'gateway.db');
  // Root writes to any file: the engine itself is told that this one is for reading.
  const problem = await run(process.execPath, ['--input-type=module', '-e', readOnlyStart(file)])
    .then(() => '')
    .catch((error: { stderr: string }) => error.stderr);
  expect(problem).toContain('The database cannot be written to');
  chmodSync(file, 0o600);
});

/** Starts a gateway on a file whose every connection is for reading alone. */
const readOnlyStart = (file: string) => `
  import Sqlite from ${JSON.stringify(import.meta.resolve('better-sqlite3'))};
  const pragma = Sqlite.prototype.pragma;
  Sqlite.prototype.pragma = function (text, options) {
    const result = pragma.call(this, text, options);
    if (text.startsWith('busy_timeout')) pragma.call(this, 'query_only = ON');
    return result;
  };
  const { start } = await import(${JSON.stringify(resolve(import.meta.dirname, '../src/start.ts'))});
  const { readConfig } = await import(${JSON.stringify(resolve(import.meta.dirname, '../src/config.ts'))});
  await start({ ...readConfig({}), databaseUrl: 'sqlite:${file}', secretKeyFile: '${file}.key', logLevel: 'silent' });
`;
