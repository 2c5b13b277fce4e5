import { neededToGive } from '../../permissions.ts';
import { NameTaken } from '../../refusals.ts';
import { change, insert } from '../change.ts';
import { findBySlug } from '../find.ts';

export interface NewServiceAccountToken {
  readonly id: string;
  readonly serviceAccountSlug: string;
  readonly name: string;
  readonly tokenSlug: string;
  readonly scopes: readonly string[];
  readonly secretHash: string;
  readonly expiresAtMs: number | null;
}

/** Makes a token of a service account. A slug that a revoked token has stays its own. */
export const createServiceAccountToken = change<NewServiceAccountToken, NameTaken>({
  kind: 'service-account-token',
  address: 'service account',
  refusals: [NameTaken],
  describe: ({ serviceAccountSlug, tokenSlug }) => `${serviceAccountSlug}/${tokenSlug}`,
  owner: (db, organizationId, { serviceAccountSlug }) =>
    findBySlug(db, organizationId, 'service-account', serviceAccountSlug),
  permissions: ({ scopes }) => [
    ...new Set(['service-account-token:create', ...scopes.flatMap(neededToGive)]),
  ],
  make: async (tx, row, { name, tokenSlug, scopes, secretHash, expiresAtMs }, { owner }) =>
    (await findBySlug(tx, owner.id, 'service-account-token', tokenSlug)) === undefined
      ? insert(tx, {
          ...row,
          name,
          slug: tokenSlug,
          permissions: JSON.stringify(scopes),
          secret_hash: secretHash,
          expires_at_ms: expiresAtMs,
        })
      : new NameTaken(),
});
