import { kadosei, kadoseiNotFound, kadoseiReply } from '../../rest/dialects/kadosei.ts';
import { object } from '../../rest/json-schema.ts';
import { restRoute } from '../../rest/route.ts';
import { apiKey } from './kind.ts';

/** Kadosei: Revoke API key for application. */
export const apiKeyRest = restRoute(apiKey, {
  dialect: kadosei,
  method: 'DELETE',
  paths: ['/api/v1/applications/:id/api-keys/:keyId'],
  params: { id: 'applicationId', keyId: 'keyId' },
  done: () => kadoseiReply(200, {}),
  refused: { ...kadosei.common, NOT_FOUND: kadoseiNotFound, ALREADY_REVOKED: kadoseiNotFound },
  describe: {
    operationId: 'revokeApiKey',
    summary: 'Revoke an API key of an application',
    example: {
      id: '01900000-0000-7000-8000-000000000024',
      keyId: '01900000-0000-7000-8000-000000000025',
    },
    body: object({}),
  },
});
