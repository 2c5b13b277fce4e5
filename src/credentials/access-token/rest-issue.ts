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
import {
  flag,
  listOf,
  object,
  orNull,
  said,
  text,
  time,
  uuid,
  whole,
} from '../../rest/json-schema.ts';
import { liveMethod } from '../auth-method.ts';
import { carryOut } from '../carry-out.ts';
import { findById } from '../find.ts';
import { checkName, NAME_MAX } from '../input.ts';
import { newRow } from '../row.ts';
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

const shownBody = object({
  id: uuid,
  accessTokenTTL: said('In seconds.', whole),
  accessTokenMaxTTL: said('In seconds.', whole),
  accessTokenNumUses: whole,
  accessTokenNumUsesLimit: said('0: without limit.', whole),
  accessTokenLastUsedAt: said('Not kept.', { type: 'null' }),
  accessTokenLastRenewedAt: said('Tokens are not renewed.', { type: 'null' }),
  isAccessTokenRevoked: flag,
  identityUAClientSecretId: { type: 'null' },
  identityId: uuid,
  createdAt: time,
  updatedAt: time,
  name: orNull(text),
  authMethod: { const: 'token-auth' },
  accessTokenPeriod: said('In seconds.', whole),
});

const identityId = z.string().describe('The id of the machine identity.');
const example = { identityId: '01900000-0000-7000-8000-000000000021' };

const sample = (): IssuedToken => ({
  row: newRow({
    ...{ id: '01900000-0000-7000-8000-00000000005b', organization_id: '', kind: 'access-token' },
    name: 'nightly-build',
    issued_at_ms: Date.UTC(2026, 10, 21, 9),
  }),
  detail: {
    ...{ id: '01900000-0000-7000-8000-00000000005b', ttl_s: 86_400, max_ttl_s: 86_400 },
    ...{ period_s: 0, num_uses: 0, num_uses_limit: 0, updated_at_ms: Date.UTC(2026, 10, 21, 9) },
  },
});

/** Infisical: Create token for machine identity with Token Auth. The token is shown this once. */
export const createTokenRest = restCall({
  dialect: infisical,
  method: 'POST',
  paths,
  reads: z.object({
    identityId,
    name: z.string().nullish().describe(`1 to ${NAME_MAX} characters.`),
  }),
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
  describe: {
    operationId: 'createToken',
    summary: 'Make an access token through Token Auth',
    description: 'The token is shown this once.',
    permissions: ['token:create'],
    example: { ...example, name: 'nightly-build' },
    body: object({
      accessToken: text,
      expiresIn: said('In seconds.', whole),
      accessTokenMaxTTL: said('In seconds.', whole),
      tokenType: { const: 'Bearer' },
      tokenData: shownBody,
    }),
    sample: () => ({ token: sample(), secret: 'eyJ…' }),
  },
});

const OFFSET_MAX = 100;
const LIMIT_DEFAULT = 20;
const LIMIT_MAX = 100;

const number = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

/** Infisical: List tokens for machine identity with Token Auth, newest first, revoked ones included. */
export const listTokensRest = restCall({
  dialect: infisical,
  method: 'GET',
  paths,
  reads: z.object({
    identityId,
    offset: number(0, OFFSET_MAX).default(0).describe('How many are left out, from the newest on.'),
    limit: number(1, LIMIT_MAX).default(LIMIT_DEFAULT).describe('How many are shown at the most.'),
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
  describe: {
    operationId: 'listTokens',
    summary: 'List access tokens of Token Auth',
    description: 'The newest first, revoked ones included.',
    permissions: ['identity:read'],
    example,
    body: object({ tokens: listOf(shownBody) }),
    sample: () => [sample()],
  },
});
