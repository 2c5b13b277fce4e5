import Sqlite from 'better-sqlite3';
import { exportJWK, generateKeyPair } from 'jose';
import Provider, { type Payload } from 'oidc-provider';
import type { GivenOwn } from '../contestant.ts';
import { listen } from '../http-server.ts';
import { opaqueTokenOf } from '../rows.ts';

interface Client {
  readonly clientId: string;
}

const TTL_S = 30 * 86_400;

const schema = `create table payloads
  (model text not null, id text not null, payload text not null, primary key (model, id))
  without rowid`;

/**
 * oidc-provider with an adapter for better-sqlite3, and as many opaque access tokens of its client as
 * there are credentials at the gateway. The client itself is in its configuration: it is never read
 * from the database.
 */
export async function serve({ database, callers, count }: GivenOwn): Promise<number> {
  const db = new Sqlite(database);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec(schema);
  const find = db.prepare<string[], { payload: string }>(
    'select payload from payloads where model = ? and id = ?',
  );
  const upsert = db.prepare<string[]>(
    'insert or replace into payloads (model, id, payload) values (?, ?, ?)',
  );

  class Adapter {
    readonly #model: string;

    constructor(model: string) {
      this.#model = model;
    }

    async find(id: string): Promise<unknown> {
      const row = find.get(this.#model, id);
      return row && JSON.parse(row.payload);
    }

    async upsert(id: string, payload: Payload): Promise<void> {
      upsert.run(this.#model, id, JSON.stringify(payload));
    }
  }

  const { privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  const provider = new Provider('http://localhost:8080', {
    adapter: Adapter,
    jwks: { keys: [await exportJWK(privateKey)] },
    clients: [
      {
        client_id: callers.client.clientId,
        client_secret: callers.client.clientSecret,
        grant_types: ['client_credentials'],
        id_token_signed_response_alg: 'EdDSA',
        redirect_uris: [],
        response_types: [],
      },
    ],
    scopes: ['api'],
    ttl: { ClientCredentials: TTL_S },
    features: {
      clientCredentials: { enabled: true },
      introspection: {
        enabled: true,
        allowedPolicy: (_context: unknown, asking: Client, token: Client) =>
          token.clientId === asking.clientId,
      },
      devInteractions: { enabled: false },
    },
  });
  const client = await provider.Client.find(callers.client.clientId);
  const sample = await new provider.ClientCredentials({ client, scope: 'api' }).save(TTL_S);
  const payload = find.get('ClientCredentials', sample)?.payload;
  if (payload === undefined) throw new Error('oidc-provider has kept no token');
  db.transaction(() => {
    for (let i = 0; i < count; i++) {
      const id = opaqueTokenOf(i);
      upsert.run('ClientCredentials', id, payload.replaceAll(sample, id));
    }
  })();
  db.pragma('wal_checkpoint(TRUNCATE)');
  return await listen(provider.callback());
}
