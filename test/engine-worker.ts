import { parentPort, workerData } from 'node:worker_threads';
import pg from 'pg';
import { SHAPE } from './engine-shape.ts';

/** Lends the databases of a server, for which somebody waits without a turn of the event loop. */

const server = workerData as string;
const client = new pg.Pool({ connectionString: `${server}/postgres`, max: 2 });

/** What a database should be like: without rows, or without tables too. */
export type Wanted = 'migrated' | 'empty';

/** One that is free, or a new one. */
async function lend(what: Wanted): Promise<number> {
  if (what === 'migrated') {
    const { rows } = await client.query(
      `delete from free where n = (select n from free limit 1 for update skip locked) returning n`,
    );
    if (rows[0] !== undefined) return rows[0].n;
  }
  const made = await client.query(`select nextval('databases')::integer as n`);
  const { n } = made.rows[0];
  const template = what === 'migrated' ? 'gateway_template' : 'template1';
  await client.query(`create database gateway_${n} template ${template}`);
  return n;
}

/** Empties one and takes it back; where a test has changed its tables it goes. */
async function takeBack(n: number): Promise<void> {
  const name = `gateway_${n}`;
  await client.query(
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1`,
    [name],
  );
  if (await empty(name)) await client.query('insert into free values ($1)', [n]);
  else await client.query(`drop database ${name} with (force)`);
}

async function empty(name: string): Promise<boolean> {
  const inside = new pg.Client({ connectionString: `${server}/${name}` });
  await inside.connect();
  try {
    const { rows } = await inside.query(SHAPE);
    const template = await client.query('select shape from template');
    const { shape, emptying, largest } = rows[0];
    // What is deleted stays in the files: one that has grown is not worth keeping.
    if (template.rows[0].shape !== shape || Number(largest) > 1_000_000) return false;
    // Truncating makes new files for each table and each index.
    await inside.query(`set session_replication_role = replica; ${emptying}`);
    return true;
  } finally {
    await inside.end();
  }
}

type Message = { back: number } | { back: undefined; what: Wanted; done: Int32Array };

parentPort?.on('message', async (message: Message) => {
  if (message.back !== undefined) return await takeBack(message.back).catch(() => undefined);
  const { what, done } = message;
  Atomics.store(done, 0, await lend(what).catch(() => -1));
  Atomics.notify(done, 0);
});
