import type { RestRequest } from '../../rest/dialect.ts';
import { kaiten, kaitenProblem } from '../../rest/dialects/kaiten.ts';
import { restRoute } from '../../rest/route.ts';
import type { Input } from '../kind.ts';
import { serviceAccountToken } from './kind.ts';

const notFound = (
  _refusal: unknown,
  request: RestRequest,
  { serviceAccountSlug, tokenSlug }: Input<'serviceAccountSlug' | 'tokenSlug'>,
) =>
  kaitenProblem(
    request,
    404,
    'Token.NotFound',
    `Token with slug ${tokenSlug} not found for service account ${serviceAccountSlug} or already revoked`,
  );

/** Kaiten: Revoke a token for a service account. */
export const serviceAccountTokenRest = restRoute(serviceAccountToken, {
  dialect: kaiten,
  method: 'DELETE',
  paths: ['/service-accounts/:serviceAccountSlug/tokens/:tokenSlug'],
  params: { serviceAccountSlug: 'serviceAccountSlug', tokenSlug: 'tokenSlug' },
  done: () => ({ status: 204, headers: {}, body: '' }),
  refused: { ...kaiten.common, NOT_FOUND: notFound, ALREADY_REVOKED: notFound },
  describe: {
    operationId: 'revokeServiceAccountToken',
    summary: 'Revoke a token of a service account',
    example: { serviceAccountSlug: 'service-account-002', tokenSlug: 'token-002' },
  },
});
