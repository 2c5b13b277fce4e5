import {
  AuthMethodAlreadyConfigured,
  checkLifetimes,
  checkMethod,
  type GivenMethod,
  insertMethod,
  liveMethod,
  mergeMethod,
  methodDefaults,
  withBoundary,
} from '../auth-method.ts';
import { change, insert } from '../change.ts';
import { findById } from '../find.ts';

/** Token Auth for an identity; what it sets has been checked. */
export interface NewTokenAuth {
  readonly id: string;
  readonly identityId: string;
  readonly given: GivenMethod;
}

/** Says no to settings that Token Auth cannot have. */
export const checkTokenAuth = (given: GivenMethod) =>
  checkMethod(given) ??
  checkLifetimes(
    mergeMethod(methodDefaults, given),
    'Access Token TTL cannot be greater than Access Token Max TTL.',
  );

/** Attaches Token Auth to an identity. Tokens of one that was removed stay refused. */
export const attachTokenAuth = change<NewTokenAuth, AuthMethodAlreadyConfigured>({
  kind: 'token-auth',
  address: 'identity',
  refusals: [AuthMethodAlreadyConfigured],
  describe: ({ identityId }) => identityId,
  owner: (db, organizationId, { identityId }) =>
    findById(db, organizationId, 'identity', identityId),
  permissions: (_input, identity) => withBoundary('identity:edit', identity),

  async make(tx, row, { given }, { owner }) {
    if ((await liveMethod(tx, owner.id, 'token-auth')) !== undefined) {
      return new AuthMethodAlreadyConfigured();
    }
    const made = await insert(tx, row);
    await insertMethod(tx, row, mergeMethod(methodDefaults, given));
    return made;
  },
});
