import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Gateway } from '../../gateway.ts';
import { InvalidInput, Unauthenticated } from '../../refusals.ts';
import { invalidOf, readGiven, schemaOf } from '../../rest/call.ts';
import type { Described } from '../../rest/described.ts';
import type { RestRequest } from '../../rest/dialect.ts';
import {
  infisical,
  infisicalError,
  infisicalInvalid,
  infisicalReply,
} from '../../rest/dialects/infisical.ts';
import { object, said, text, whole } from '../../rest/json-schema.ts';
import { type RestRoute, toRestRequest, word } from '../../rest/route.ts';
import { type LoggedIn, login } from './login.ts';
import { denied, forbidden, LoginRefused } from './login-refused.ts';

const reads = z.object({
  identityId: z.string('Required').trim().describe('The id of the machine identity.'),
  jwt: z.string('Required').describe('A JWT of the issuer that its JWT Auth names.'),
  organizationSlug: z
    .string()
    .nullish()
    .describe('The organization in which the identity is looked for.'),
});

const path = '/api/v1/auth/jwt-auth/login';

const done = (loggedIn: LoggedIn) => infisicalReply(200, { ...loggedIn, tokenType: 'Bearer' });

const refused = ({ status, error, message }: LoginRefused, request: RestRequest) =>
  infisicalError(request, status, error, message);

const example = {
  identityId: '01900000-0000-7000-8000-00000000001e',
  jwt: 'eyJ…',
  organizationSlug: 'acme',
};

const refusals: readonly [when: string, refused: LoginRefused][] = [
  [
    'There is no such identity, or it has no JWT Auth.',
    new LoginRefused(404, 'JWT auth method not found for identity, did you configure JWT auth?'),
  ],
  ['The identity is revoked.', new LoginRefused(401, 'Identity not found')],
  ['What is sent is no JWT.', new LoginRefused(401, 'Invalid JWT')],
  ['The JWT has expired.', denied('jwt expired')],
  ['Another key has signed it.', denied('invalid signature')],
  ['It has no audience, and needs one.', denied('token has no audience field')],
  ['It is of another issuer.', forbidden('issuer mismatch')],
  ['Its subject is another.', forbidden('subject not allowed')],
];

const described: Described = {
  operationId: 'loginWithJwtAuth',
  summary: 'Exchange a JWT for an access token',
  description: 'The JWT says who asks. The access token is shown this once.',
  example,
  body: object({
    accessToken: text,
    expiresIn: said('In seconds.', whole),
    accessTokenMaxTTL: said('In seconds.', whole),
    tokenType: { const: 'Bearer' },
  }),
  reads: () => schemaOf(reads),
  invalid: () => invalidOf(reads, { example, body: true, path }),
  refusals: [InvalidInput],
  done: () => done({ accessToken: 'eyJ…', expiresIn: 86_400, accessTokenMaxTTL: 86_400 }),
  refused: (refusal, request) => word({ INVALID_INPUT: infisicalInvalid }, refusal, request, {}),
  others: (request) => refusals.map(([when, why]) => [when, refused(why, request)]),
};

/** Infisical: Login with JWT Auth. Whoever asks is not known yet: the JWT in the body says who it is. */
export const jwtLoginRest: RestRoute = {
  dialect: infisical,
  method: 'POST',
  paths: [path],
  params: {},
  body: true,
  described,

  async answer(gateway: Gateway, request: FastifyRequest) {
    const restRequest = toRestRequest(request);
    const given = readGiven(reads, request, true);
    if (given instanceof InvalidInput) {
      request.refusal = given;
      return infisicalInvalid(given, restRequest);
    }
    const answered = await login(gateway, given, { requestId: request.id });
    if (!(answered instanceof LoginRefused)) return done(answered);
    request.refusal = new Unauthenticated('claims', true);
    return refused(answered, restRequest);
  },
};
