import { deploymentOf } from '../../delivery/deployment.ts';
import type { NotFound } from '../../refusals.ts';
import type { RestRequest } from '../../rest/dialect.ts';
import { apinizer, apinizerError, apinizerReply } from '../../rest/dialects/apinizer.ts';
import { restRoute } from '../../rest/route.ts';
import type { Input } from '../kind.ts';
import { jwkValidation } from './kind.ts';

type Address = Input<'projectName' | 'username'>;

/** An unknown credential is a 400 in this dialect, an unknown project a 404. */
const notFound = (refusal: NotFound, _request: RestRequest, { projectName, username }: Address) =>
  refusal.what === jwkValidation.address
    ? apinizerError(
        404,
        'not_found',
        `Project(${projectName}) was not found or user does not have privilege to access it!`,
      )
    : apinizerError(400, 'bad_request', `Credential (username: ${username}) was not found!`);

/** The vendor publishes no text for this; it follows the pattern of the others. */
const noJwk = (_refusal: unknown, _request: RestRequest, { username }: Address) =>
  apinizerError(
    400,
    'bad_request',
    `Credential (username: ${username}) does not have a JWK for validation and signing!`,
  );

/** Apinizer: Remove JWK Validation. */
export const jwkValidationRest = restRoute(jwkValidation, {
  dialect: apinizer,
  method: 'DELETE',
  paths: [
    '/apiops/projects/:projectName/credentials/:username/jwk/validation/',
    '/apiops/projects/:projectName/credentials/:username/jwk/validation',
  ],
  params: { projectName: 'projectName', username: 'username' },
  done: (_revoked, attempts) =>
    apinizerReply(200, { success: true, deploymentResult: deploymentOf(attempts) }),
  refused: {
    ...apinizer.common,
    NOT_FOUND: notFound,
    ALREADY_REVOKED: noJwk,
    JWK_NOT_ASSIGNED: noJwk,
  },
});
