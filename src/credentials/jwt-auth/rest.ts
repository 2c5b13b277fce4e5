import type { Revocable } from '../../../db/tables.ts';
import type { RestRequest } from '../../rest/dialect.ts';
import { infisical, infisicalError, infisicalReply } from '../../rest/dialects/infisical.ts';
import { restRoute } from '../../rest/route.ts';
import { type JwtAuthDetail, jwtAuth } from './kind.ts';

const noJwtAuth = (_refusal: unknown, request: RestRequest) =>
  infisicalError(request, 400, 'BadRequest', 'The identity does not have JWT auth');

/** Infisical: Delete JWT Auth configuration on machine identity. */
export const jwtAuthRest = restRoute(jwtAuth, {
  dialect: infisical,
  method: 'DELETE',
  paths: ['/api/v1/auth/jwt-auth/identities/:identityId'],
  params: { identityId: 'identityId' },
  done: ({ row, answer }) => infisicalReply(200, { identityJwtAuth: identityJwtAuth(row, answer) }),
  refused: {
    ...infisical.common,
    NOT_FOUND: (_refusal, request) =>
      infisicalError(request, 404, 'NotFound', 'Failed to find identity'),
    ALREADY_REVOKED: noJwtAuth,
    JWT_AUTH_NOT_CONFIGURED: noJwtAuth,
  },
});

/** The configuration as Infisical shows it on deletion: without the CA certificate and the keys. */
function identityJwtAuth(row: Revocable, detail: JwtAuthDetail) {
  return {
    id: row.id,
    accessTokenTTL: detail.access_token_ttl_s,
    accessTokenMaxTTL: detail.access_token_max_ttl_s,
    accessTokenNumUsesLimit: detail.access_token_num_uses_limit,
    accessTokenTrustedIps: JSON.parse(detail.access_token_trusted_ips) as unknown,
    identityId: row.parent_id,
    configurationType: detail.configuration_type,
    jwksUrl: detail.jwks_url,
    boundIssuer: detail.bound_issuer,
    boundAudiences: detail.bound_audiences,
    boundClaims: JSON.parse(detail.bound_claims) as unknown,
    boundSubject: detail.bound_subject,
    createdAt: new Date(row.issued_at_ms).toISOString(),
    updatedAt: new Date(detail.updated_at_ms).toISOString(),
    accessTokenPeriod: detail.access_token_period_s,
  };
}
