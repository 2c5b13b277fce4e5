import { type Permission, permissions } from '../../permissions.ts';
import { change, insert } from '../change.ts';

/** What a client is usually for: it may ask about every credential, and revoke it. */
export const usualPermissions: readonly Permission[] = permissions.filter(
  (permission) => permission === 'credential:introspect' || permission.endsWith(':revoke'),
);

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
  permissions: ({ permissions: given }) => ['oauth-client:create', ...given],

  async make(tx, row, { name, permissions: given, secretHash, publicKeys }) {
    const made = await insert(tx, {
      ...row,
      name,
      permissions: JSON.stringify(given),
      secret_hash: secretHash,
    });
    await tx.insertInto('oauth_clients').values({ id: row.id, public_keys: publicKeys }).execute();
    return made;
  },
});
