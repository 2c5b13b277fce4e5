import { z } from 'zod';
import { missingPermissions } from '../../permissions.ts';
import { NotFound, PermissionDenied } from '../../refusals.ts';
import { restCall } from '../../rest/call.ts';
import type { RestRequest } from '../../rest/dialect.ts';
import {
  infisical,
  infisicalError,
  infisicalInvalid,
  infisicalReply,
} from '../../rest/dialects/infisical.ts';
import { liveMethod } from '../auth-method.ts';
import { carryOut } from '../carry-out.ts';
import { findById } from '../find.ts';
import { checkName } from '../input.ts';
import { TokenAuthNotConfigured } from '../token-auth/kind.ts';
import { createRequestedToken, requestToken } from './create-on-request.ts';
import { accessTokenDetails, type IssuedToken, tokensOf } from './details.ts';

const paths = ['/api/v1/auth/token-auth/identities/:identityId/tokens'];

const notFound = (
  _refusal: unknown,
  request: RestRequest,
  { identityId }: { readonly identityId: string },
) => infisicalError(request, 404, 'NotFound', `Failed to find identity with ID ${identityId}`);

const refused = {
  ...infisical.common,
  INVALID_INPUT: infisicalInvalid,
  NOT_FOUND: notFound,
  OWNER_REVOKED: notFound,
  TOKEN_AUTH_NOT_CONFIGURED: (_refusal: unknown, request: RestRequest) =>
    infisicalError(request, 400, 'BadRequest', 'The identity does not have Token Auth'),
};

/** A token as Infisical shows it. When it was last used is not kept. */
const shown = ({ row, detail }: IssuedToken, identityId: string) => ({
  id: row.id,
  accessTokenTTL: detail?.ttl_s ?? 0,
  accessTokenMaxTTL: detail?.max_ttl_s ?? 0,
  accessTokenNumUses: detail?.num_uses ?? 0,
  accessTokenNumUsesLimit: detail?.num_uses_limit ?? 0,
  accessTokenLastUsedAt: null,
  accessTokenLastRenewedAt: null,
  isAccessTokenRevoked: row.revoked_at_ms !== null,
  identityUAClientSecretId: null,
  identityId,
  createdAt: new Date(row.issued_at_ms).toISOString(),
  updatedAt: new Date(
    Math.max(detail?.updated_at_ms ?? row.issued_at_ms, row.revoked_at_ms ?? 0),
  ).toISOString(),
  name: row.name,
  authMethod: 'token-auth',
  accessTokenPeriod: detail?.period_s ?? 0,
});

/** Infisical: Create token for machine identity with Token Auth. The token is shown this once. */
export const createTokenRest = restCall({
  dialect: infisical,
  method: 'POST',
  paths,
  reads: z.object({ identityId: z.string(), name: z.string().nullish() }),
  refusals: createRequestedToken.refusals,
  async run(gateway, actor, { identityId, name = null }, call) {
    const invalid = name === null ? undefined : checkName('name', name);
    if (invalid !== undefined) return { refused: invalid };
    const { input, secret = '' } = await requestToken(gateway, actor, { identityId, name });
    const answered = await carryOut(gateway, createRequestedToken, input, call);
    if ('refused' in answered) return answered;
    const { done: row } = answered;
    const [detail = null] = await accessTokenDetails(gateway.reader, [row.id]);
    return { done: { token: { row, detail }, secret } };
  },
  done: (
    { token, secret }: { token: IssuedToken; secret: string },
    _request: RestRequest,
    { identityId },
  ) =>
    infisicalReply(200, {
      accessToken: secret,
      expiresIn: token.detail?.ttl_s,
      accessTokenMaxTTL: token.detail?.max_ttl_s,
      tokenType: 'Bearer',
      tokenData: shown(token, identityId),
    }),
  refused,
});

const OFFSET_MAX = 100;
const LIMIT_DEFAULT = 20;
const LIMIT_MAX = 100;

const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

/** Infisical: List tokens for machine identity with Token Auth, newest first, revoked ones included. */
export const listTokensRest = restCall({
  dialect: infisical,
  method: 'GET',
  paths,
  reads: z.object({
    identityId: z.string(),
    offset: whole(0, OFFSET_MAX).default(0),
    limit: whole(1, LIMIT_MAX).default(LIMIT_DEFAULT),
  }),
  refusals: [NotFound, PermissionDenied, TokenAuthNotConfigured],
  async run(gateway, { organizationId, permissions }, { identityId, offset, limit }) {
    const { reader } = gateway;
    const identity = await findById(reader, organizationId, 'identity', identityId);
    if (identity === undefined) return { refused: new NotFound('identity') };
    const missing = missingPermissions(permissions, ['identity:read']);
    if (missing.length > 0) return { refused: new PermissionDenied(missing) };
    const method = await liveMethod(reader, identity.id, 'token-auth');
    if (method === undefined) return { refused: new TokenAuthNotConfigured() };
    return { done: await tokensOf(reader, method.id, { offset, limit }) };
  },
  done: (tokens: IssuedToken[], _request: RestRequest, { identityId }) =>
    infisicalReply(200, { tokens: tokens.map((token) => shown(token, identityId)) }),
  refused,
});
