import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { openDatabase } from '../src/database/database.ts';
import { migrate } from '../src/database/migrate.ts';
import { SHAPE } from './engine-shape.ts';
import { startPostgres } from './postgres-server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The server of this run, as the beginning of a `DATABASE_URL`. */
    postgres?: string;
    /** Where its files lie. */
    postgresData?: string;
  }
}

/** One server for the whole run, and a database from which those of the tests are copied. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres({ fsync: false });
  const ask = async (database: string, statement: string) => {
    const client = new pg.Client({ connectionString: server.url(database) });
    await client.connect();
    const { rows } = await client.query(statement);
    await client.end();
    return rows?.[0];
  };
  await ask('postgres', 'create database gateway_template');
  const template = await openDatabase(server.url('gateway_template'));
  await migrate(template);
  await template.close();
  const { shape } = await ask('gateway_template', SHAPE);
  // What engine-worker.ts keeps: databases that no test has, and what the tables of each look like.
  await ask(
    'postgres',
    `create table free (n integer); create sequence databases;
     create table template as select '${shape}' as shape`,
  );
  const root = server.url('postgres');
  project.provide('postgres', root.slice(0, root.lastIndexOf('/')));
  project.provide('postgresData', server.data);
  return () => server.remove();
}
