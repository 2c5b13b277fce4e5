import { change, insert } from '../change.ts';
import { findById } from '../find.ts';

export interface NewApiKey {
  readonly id: string;
  readonly applicationId: string;
  readonly name: string;
  readonly secretHash: string;
  readonly expiresAtMs: number | null;
}

/** Makes a key of an application. */
export const createApiKey = change<NewApiKey>({
  kind: 'api-key',
  address: 'application',
  refusals: [],
  describe: ({ applicationId, id }) => `${applicationId}/${id}`,
  owner: (db, organizationId, { applicationId }) =>
    findById(db, organizationId, 'application', applicationId.toLowerCase()),
  permissions: () => ['api-key:create'],
  make: (tx, row, { name, secretHash, expiresAtMs }) =>
    insert(tx, { ...row, name, secret_hash: secretHash, expires_at_ms: expiresAtMs }),
});
