import { InvalidInput } from '../../refusals.ts';
import {
  AuthMethodAlreadyConfigured,
  insertMethod,
  liveMethod,
  updateMethod,
  withBoundary,
} from '../auth-method.ts';
import { type Change, change, insert } from '../change.ts';
import { findById } from '../find.ts';
import { JwtAuthNotConfigured, jwtAuthDetails } from './kind.ts';
import {
  checkJwtAuth,
  type GivenJwtAuth,
  type JwtAuthSettings,
  jwtAuthDefaults,
  jwtAuthSettings,
  mergeJwtAuth,
} from './settings.ts';

/** What JWT Auth of an identity is to be like; what is given has been checked. */
export interface GivenToIdentity {
  readonly id: string;
  readonly identityId: string;
  readonly given: GivenJwtAuth;
}

const ofIdentity = {
  kind: 'jwt-auth',
  address: 'identity',
  describe: ({ identityId }) => identityId,
  owner: (db, organizationId, { identityId }) =>
    findById(db, organizationId, 'identity', identityId),
  permissions: (_input, identity) => withBoundary('identity:edit', identity),
} satisfies Partial<Change<GivenToIdentity>>;

/** Attaches JWT Auth to an identity. Tokens of one that was removed stay refused. */
export const attachJwtAuth = change<GivenToIdentity, AuthMethodAlreadyConfigured>({
  ...ofIdentity,
  refusals: [AuthMethodAlreadyConfigured],

  async make(tx, row, { given }, { owner }) {
    if ((await liveMethod(tx, owner.id, 'jwt-auth')) !== undefined) {
      return new AuthMethodAlreadyConfigured();
    }
    const settings = mergeJwtAuth(jwtAuthDefaults, given);
    const made = await insert(tx, row);
    await insertMethod(tx, row, settings);
    await tx
      .insertInto('jwt_auths')
      .values({ id: row.id, ...columnsOf(settings) })
      .execute();
    return made;
  },
});

/** Changes the JWT Auth that an identity has; its tokens stay good, wherever they are trusted now. */
export const updateJwtAuth = change<GivenToIdentity, JwtAuthNotConfigured | InvalidInput>({
  ...ofIdentity,
  action: 'update',
  refusals: [JwtAuthNotConfigured, InvalidInput],

  async make(tx, { issued_at_ms }, { given }, { owner }) {
    const live = await liveMethod(tx, owner.id, 'jwt-auth');
    const [detail] = live === undefined ? [] : await jwtAuthDetails(tx, [live.id]);
    if (live === undefined || detail === undefined) return new JwtAuthNotConfigured();
    // The whole is what it makes of what was there.
    const settings = mergeJwtAuth(jwtAuthSettings(detail), given);
    const invalid = checkJwtAuth(settings);
    if (invalid !== undefined) return invalid;
    await updateMethod(tx, live.id, settings, issued_at_ms);
    await tx.updateTable('jwt_auths').set(columnsOf(settings)).where('id', '=', live.id).execute();
    return { row: live };
  },
});

const columnsOf = (settings: JwtAuthSettings) => ({
  configuration_type: settings.configurationType,
  jwks_url: settings.jwksUrl,
  public_keys: JSON.stringify(settings.publicKeys),
  bound_issuer: settings.boundIssuer,
  bound_audiences: settings.boundAudiences,
  bound_claims: JSON.stringify(settings.boundClaims),
  bound_subject: settings.boundSubject,
});
