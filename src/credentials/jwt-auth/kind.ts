import type { Selectable } from 'kysely';
import type { AuthMethodsTable, JwtAuthsTable } from '../../../db/tables.ts';
import { Refusal } from '../../refusals.ts';
import { findById, findNewest } from '../find.ts';
import type { Kind } from '../kind.ts';

/** The identity has never had JWT Auth. */
export class JwtAuthNotConfigured extends Refusal {
  static readonly code = 'JWT_AUTH_NOT_CONFIGURED';
  static readonly description = 'The identity has never had JWT Auth.';
  readonly code = JwtAuthNotConfigured.code;
  readonly message = 'The identity does not have JWT auth.';
}

export type JwtAuthDetail = Selectable<AuthMethodsTable> & Selectable<JwtAuthsTable>;

/**
 * JWT Auth of a machine identity: it exchanges JWTs of an outside issuer for access tokens. Its
 * revocation ends every access token issued through it, since they are its children.
 */
export const jwtAuth: Kind<'identityId', JwtAuthDetail, JwtAuthNotConfigured> = {
  name: 'jwt-auth',
  noun: 'JWT Auth',
  address: 'identity',
  input: { identityId: { description: 'The id of the machine identity.' } },
  permissions: ['jwt-auth:revoke'],
  refusals: [JwtAuthNotConfigured],

  async locate(db, organizationId, { identityId }) {
    const identity = await findById(db, organizationId, 'identity', identityId);
    if (identity === undefined) return undefined;
    const newest = await findNewest(db, identity.id, 'jwt-auth');
    return { target: newest ?? new JwtAuthNotConfigured() };
  },

  show: (db, row) =>
    db
      .selectFrom('auth_methods')
      .innerJoin('jwt_auths', 'jwt_auths.id', 'auth_methods.id')
      .selectAll(['auth_methods', 'jwt_auths'])
      .where('auth_methods.id', '=', row.id)
      .executeTakeFirstOrThrow(),
};
