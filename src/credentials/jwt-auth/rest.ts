import type { Revocable } from '../../../db/tables.ts';
import type { RestRequest } from '../../rest/dialect.ts';
import { infisical, infisicalError, infisicalReply } from '../../rest/dialects/infisical.ts';
import { listOf, object, said, text, time, uuid, whole } from '../../rest/json-schema.ts';
import { restRoute } from '../../rest/route.ts';
import { newRow } from '../row.ts';
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
  describe: {
    operationId: 'revokeJwtAuth',
    summary: 'Remove JWT Auth from a machine identity',
    description: 'Every access token that was issued through it ends with it.',
    example: { identityId: '01900000-0000-7000-8000-00000000001e' },
    body: object({
      identityJwtAuth: object({
        id: uuid,
        accessTokenTTL: said('In seconds.', whole),
        accessTokenMaxTTL: said('In seconds.', whole),
        accessTokenNumUsesLimit: said('0: without limit.', whole),
        accessTokenTrustedIps: listOf(
          object({ ipAddress: text, type: text, prefix: whole }, ['prefix']),
        ),
        identityId: uuid,
        configurationType: { type: 'string', enum: ['jwks', 'static'] },
        jwksUrl: text,
        boundIssuer: text,
        boundAudiences: text,
        boundClaims: { type: 'object', additionalProperties: text },
        boundSubject: text,
        createdAt: time,
        updatedAt: time,
        accessTokenPeriod: said('In seconds.', whole),
      }),
    }),
    sample: () => [{ row: sampleRow, answer: sampleDetail }, []],
  },
});

const sampleRow = newRow({
  ...{ id: '01900000-0000-7000-8000-00000000001f', organization_id: '', kind: 'jwt-auth' },
  parent_id: '01900000-0000-7000-8000-00000000001e',
  issued_at_ms: Date.UTC(2026, 10, 21, 9),
});

const sampleDetail: JwtAuthDetail = {
  id: sampleRow.id,
  ...{ access_token_ttl_s: 86_400, access_token_max_ttl_s: 86_400, access_token_period_s: 0 },
  access_token_num_uses_limit: 0,
  access_token_trusted_ips: '[{"ipAddress":"0.0.0.0","type":"ipv4","prefix":0}]',
  configuration_type: 'jwks',
  jwks_url: 'https://issuer.example.com/.well-known/jwks.json',
  public_keys: '[]',
  bound_issuer: 'https://issuer.example.com',
  bound_audiences: 'acme-deployments',
  bound_claims: '{"environment":"production"}',
  bound_subject: '',
  updated_at_ms: sampleRow.issued_at_ms,
};

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
