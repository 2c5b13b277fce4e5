import { apiKey } from '@better-auth/api-key';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import Sqlite from 'better-sqlite3';
import { hashSecret } from '../../src/secrets.ts';
import type { GivenOwn, Started } from '../contestant.ts';
import { listen, readBody } from '../http-server.ts';
import { idOf, keySecretOf } from '../rows.ts';

export const VERIFY_PATH = '/verify';

/**
 * better-auth with its API-key plugin on better-sqlite3, and as many keys as there are at the gateway.
 * Its limits on rates, which would be more work, are off. Verification has no path of its own there:
 * it is called from a bare `node:http` handler.
 */
export async function serve({ database, count }: GivenOwn): Promise<Required<Started>> {
  const db = new Sqlite(database);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  const auth = betterAuth({
    database: db,
    baseURL: 'http://localhost:8080',
    secret: 'a secret of a measurement, long enough for its checks',
    emailAndPassword: { enabled: true },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
    advanced: { disableCSRFCheck: true, disableOriginCheck: true },
    plugins: [apiKey({ rateLimit: { enabled: false } })],
  });
  await (await getMigrations(auth.options)).runMigrations();
  const cookie = await signUp(auth);
  const { id } = await auth.api.createApiKey({ body: {}, headers: new Headers({ cookie }) });
  multiply(db, id, count);

  const handle = toNodeHandler(auth);
  const port = await listen((request, response) => {
    if (request.url !== VERIFY_PATH) {
      void handle(request, response);
      return;
    }
    readBody(request, async (body) => {
      const said = JSON.stringify(await auth.api.verifyApiKey({ body: JSON.parse(body) }));
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(said),
      });
      response.end(said);
    });
  });
  return { port, cookie };
}

/** Makes a user, who is who deletes; gives the cookie of the session. */
async function signUp(auth: ReturnType<typeof betterAuth>): Promise<string> {
  const body = { name: 'bench', email: 'bench@example.com', password: 'a long password' };
  const { headers } = await auth.api.signUpEmail({ body, asResponse: true });
  return headers
    .getSetCookie()
    .map((each) => each.split(';')[0])
    .join('; ');
}

/** Makes many keys of one, with ids and secrets of their own. */
function multiply(db: Sqlite.Database, id: string, count: number): void {
  const row = db
    .prepare<string[], Record<string, unknown>>('select * from apikey where id = ?')
    .get(id);
  if (row === undefined) throw new Error('better-auth has kept no key');
  const columns = Object.keys(row);
  const names = columns.map((name) => `"${name}"`).join(', ');
  const sql = `insert into apikey (${names}) values (${columns.map((name) => `@${name}`).join(', ')})`;
  const add = db.prepare(sql);
  db.transaction(() => {
    for (let i = 0; i < count; i++) {
      add.run({ ...row, id: idOf('key', i), key: hashSecret(keySecretOf(i)) });
    }
  })();
  db.pragma('wal_checkpoint(TRUNCATE)');
}
