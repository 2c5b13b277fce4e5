import { existsSync } from 'node:fs';
import { Kysely, SqliteDialect } from 'kysely';
import type { Tables } from '../../db/tables.ts';
import { type Config, readConfig } from '../config.ts';
import { openDatabase } from '../database/database.ts';
import { openReadOnly, sqliteFileOf } from '../database/read-only.ts';
import { startProblem } from '../database/start-problem.ts';
import { StartError } from '../start-error.ts';
import { checkDatabaseFiles, checkDisk, checkSecretKeyFile } from './files.ts';
import { type Finding, ok, problem, warning } from './finding.ts';
import { checkIssuers } from './issuers.ts';
import { checkPostgres } from './postgres.ts';
import { checkLedger, checkOutbox, checkSchema, checkSigningKey } from './rows.ts';
import { checkSettings } from './settings.ts';
import { checkSqlite } from './sqlite.ts';

/**
 * Looks at the settings, the files and the database, and says what is wrong. It only reads: it makes and
 * migrates nothing, and may run beside gateways that serve.
 */
export async function examine(): Promise<Finding[]> {
  let config: Config;
  try {
    config = readConfig();
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    const remedy = 'correct them: docs/configuration.md explains each';
    return [problem('settings', error.message, remedy)];
  }
  return [
    ok('settings', 'can be read'),
    ...checkSettings(config),
    ...checkSecretKeyFile(config.secretKeyFile),
    ...(await checkIssuers(config)),
    ...(await checkDatabase(config)),
  ];
}

async function checkDatabase(config: Config): Promise<Finding[]> {
  const { databaseUrl } = config;
  if (databaseUrl === 'sqlite::memory:') {
    const what = 'it is in memory, and gone when the gateway stops';
    return [warning('database', what, 'point DATABASE_URL to a file or a server')];
  }
  const file = sqliteFileOf(databaseUrl);
  const found: Finding[] = [];
  try {
    if (file === undefined) await checkServer(config, found);
    else checkFile(file, found) && (await checkRowsOf(file, config, found));
  } catch (error) {
    found.push(unreadable(error));
  }
  return found;
}

function checkFile(file: string, found: Finding[]): boolean {
  if (!existsSync(file)) {
    const remedy =
      'start the gateway, which makes it, or point DATABASE_URL to the one that you have';
    found.push(problem('database', `There is no database ${file}`, remedy));
    return false;
  }
  found.push(...checkDatabaseFiles(file), ...checkDisk(file));
  return true;
}

async function checkRowsOf(file: string, config: Config, found: Finding[]): Promise<void> {
  const database = openReadOnly(file);
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database }) });
  try {
    found.push(...checkSqlite(database, file));
    await checkRows(db, config, found);
  } finally {
    await db.destroy();
    database.close();
  }
}

async function checkServer(config: Config, found: Finding[]): Promise<void> {
  const database = await openDatabase(config.databaseUrl);
  try {
    found.push(...(await checkPostgres(database.reader)));
    await checkRows(database.reader, config, found);
  } finally {
    await database.close();
  }
}

/** What is there on every engine. Without the newest schema there is nothing to ask for. */
async function checkRows(db: Kysely<Tables>, config: Config, found: Finding[]): Promise<void> {
  const schema = await checkSchema(db);
  found.push(schema);
  if (schema.status !== 'ok') return;
  const nowMs = Date.now();
  found.push(
    await checkLedger(db, nowMs),
    ...(await checkSigningKey(db, config.secretKeyFile, nowMs)),
    ...(await checkOutbox(db, config, nowMs)),
  );
}

function unreadable(error: unknown): Finding {
  const { message } = startProblem('It cannot be read', error);
  const at = message.lastIndexOf('): ');
  return problem('database', message.slice(0, at + 1), message.slice(at + 3).replace(/\.$/, ''));
}
