import { z } from 'zod';
import { deploymentOf } from '../../delivery/deployment.ts';
import type { Attempt } from '../../delivery/first-attempts.ts';
import { NotFound } from '../../refusals.ts';
import { restCall } from '../../rest/call.ts';
import type { RestRequest } from '../../rest/dialect.ts';
import { apinizer, apinizerError, apinizerReply } from '../../rest/dialects/apinizer.ts';
import { flag, listOf, object, said, text } from '../../rest/json-schema.ts';
import { restRoute } from '../../rest/route.ts';
import { carryOut } from '../carry-out.ts';
import { assignJwk } from '../jwk-assignment.ts';
import type { Input } from '../kind.ts';
import { jwkValidation } from './kind.ts';

type Address = Input<'projectName' | 'username'>;
type WithJwk = Input<'projectName' | 'username' | 'jwkName'>;

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

const body = object({
  success: said('Whether the gateway has done it; always true.', flag),
  deploymentResult: object({
    success: said('Whether every environment of the project has applied it.', flag),
    message: text,
    environmentResults: listOf(object({ environmentName: text, success: flag, message: text })),
  }),
});

const deployed: readonly Attempt[] = [{ target: 'production', success: true }];

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
  describe: {
    operationId: 'unassignJwkValidation',
    summary: 'Take the JWK for validation away from a credential',
    description: 'The answer waits until every environment of the project has been told.',
    example: { projectName: 'project-002', username: 'username-002' },
    body,
    sample: () => [{} as never, deployed],
  },
});

const assign = assignJwk('jwk-validation');

/** An unknown JWK is a 400 in this dialect, as an unknown credential is. */
const nothingToAssign = (refusal: NotFound, request: RestRequest, given: WithJwk) =>
  refusal.what === 'JWK'
    ? apinizerError(400, 'bad_request', `JWK (name: ${given.jwkName}) is not found!`)
    : notFound(refusal, request, given);

/** Apinizer: Set JWK Validation. */
export const assignJwkValidationRest = restCall({
  dialect: apinizer,
  method: 'PUT',
  paths: [
    '/apiops/projects/:projectName/credentials/:username/jwk/validation/:jwkName/',
    '/apiops/projects/:projectName/credentials/:username/jwk/validation/:jwkName',
  ],
  ignoresBody: true,
  reads: z.object({
    projectName: z.string().describe('The name of the project.'),
    username: z.string().describe('The username of the gateway credential.'),
    jwkName: z.string().describe('The name of the JWK, which is of the same project.'),
  }),
  refusals: assign.refusals,
  async run(gateway, _actor, given, call) {
    const input = { ...given, id: gateway.newId() };
    const answered = await carryOut(gateway, assign, input, call);
    return 'refused' in answered ? answered : { done: answered.attempts };
  },
  done: (attempts: readonly Attempt[]) =>
    apinizerReply(200, { success: true, deploymentResult: deploymentOf(attempts) }),
  refused: {
    ...apinizer.common,
    NOT_FOUND: nothingToAssign,
    OWNER_REVOKED: (_refusal, request, given) =>
      notFound(new NotFound('gateway credential'), request, given),
  },
  describe: {
    operationId: 'assignJwkValidation',
    summary: 'Set the JWK for validation of a credential',
    description:
      'It takes the place of the one that was there. The answer waits until every environment of the project has been told.',
    permissions: ['IDENTITY+MANAGE', 'IDENTITY+DEPLOY_UNDEPLOY'],
    example: { projectName: 'project-002', username: 'username-002', jwkName: 'jwk-002' },
    body,
    sample: () => deployed,
  },
});
