import type { Kysely, Selectable } from 'kysely';
import type { AuthMethodsTable, JwtAuthsTable, Tables } from '../../../db/tables.ts';
import { Refusal } from '../../refusals.ts';
import { findById, findNewest } from '../find.ts';
import type { Kind } from '../kind.ts';

/** The identity has no JWT Auth. */
export class JwtAuthNotConfigured extends Refusal {
  static readonly code = 'JWT_AUTH_NOT_CONFIGURED';
  static readonly description = 'The identity does not have JWT Auth.';
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

  async show(db, row) {
    const [detail] = await jwtAuthDetails(db, [row.id]);
    if (detail === undefined) throw new Error(`JWT Auth ${row.id} has no configuration`);
    return detail;
  },
};

/** The configurations of JWT Auths, in no order. */
export const jwtAuthDetails = (
  db: Kysely<Tables>,
  ids: readonly string[],
): Promise<JwtAuthDetail[]> =>
  db
    .selectFrom('auth_methods')
    .innerJoin('jwt_auths', 'jwt_auths.id', 'auth_methods.id')
    .selectAll(['auth_methods', 'jwt_auths'])
    .where('auth_methods.id', 'in', ids)
    .execute();
