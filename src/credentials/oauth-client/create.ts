import { change, insert } from '../change.ts';

export interface NewOauthClient {
  /** The client id. */
  readonly id: string;
  readonly name: string;
  readonly permissions: readonly string[];
  /** Null where it proves who it is by assertions (`private_key_jwt`). */
  readonly secretHash: string | null;
  /** JSON list of public JWKs, or null. */
  readonly publicKeys: string | null;
}

/** Makes a client of the OAuth endpoints: it acts in its organization, with its permissions. */
export const createOauthClient = change<NewOauthClient>({
  kind: 'oauth-client',
  refusals: [],
  describe: ({ id }) => id,
  permissions: ({ permissions }) => ['oauth-client:create', ...permissions],

  async make(tx, row, { name, permissions, secretHash, publicKeys }) {
    const made = await insert(tx, {
      ...row,
      name,
      permissions: JSON.stringify(permissions),
      secret_hash: secretHash,
    });
    await tx.insertInto('oauth_clients').values({ id: row.id, public_keys: publicKeys }).execute();
    return made;
  },
});
