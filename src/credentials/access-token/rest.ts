import type { RestRequest } from '../../rest/dialect.ts';
import { infisical, infisicalError, infisicalReply } from '../../rest/dialects/infisical.ts';
import { object, text } from '../../rest/json-schema.ts';
import { restRoute } from '../../rest/route.ts';
import type { Input } from '../kind.ts';
import { accessToken } from './kind.ts';

const notFound = (_refusal: unknown, request: RestRequest, { tokenId }: Input<'tokenId'>) =>
  infisicalError(request, 404, 'NotFound', `Token with ID ${tokenId} not found or already revoked`);

/** Infisical: Revoke token for machine identity with Token Auth. */
export const accessTokenRest = restRoute(accessToken, {
  dialect: infisical,
  method: 'POST',
  paths: ['/api/v1/auth/token-auth/tokens/:tokenId/revoke'],
  params: { tokenId: 'tokenId' },
  done: () => infisicalReply(200, { message: 'Successfully revoked access token' }),
  refused: { ...infisical.common, NOT_FOUND: notFound, ALREADY_REVOKED: notFound },
  describe: {
    operationId: 'revokeToken',
    summary: 'Revoke an access token',
    description: 'Any access token that this gateway has issued, however it was issued.',
    example: { tokenId: '01900000-0000-7000-8000-000000000023' },
    body: object({ message: text }),
  },
});
