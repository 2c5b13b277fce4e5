import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Gateway } from '../../gateway.ts';
import { InvalidInput, Unauthenticated } from '../../refusals.ts';
import { readGiven } from '../../rest/call.ts';
import {
  infisical,
  infisicalError,
  infisicalInvalid,
  infisicalReply,
} from '../../rest/dialects/infisical.ts';
import { type RestRoute, toRestRequest } from '../../rest/route.ts';
import { login } from './login.ts';
import { LoginRefused } from './login-refused.ts';

const reads = z.object({
  identityId: z.string('Required').trim(),
  jwt: z.string('Required'),
  organizationSlug: z.string().nullish(),
});

/** Infisical: Login with JWT Auth. Whoever asks is not known yet: the JWT in the body says who it is. */
export const jwtLoginRest: RestRoute = {
  dialect: infisical,
  method: 'POST',
  paths: ['/api/v1/auth/jwt-auth/login'],
  params: {},
  body: true,

  async answer(gateway: Gateway, request: FastifyRequest) {
    const restRequest = toRestRequest(request);
    const given = readGiven(reads, request, true);
    if (given instanceof InvalidInput) {
      request.refusal = given;
      return infisicalInvalid(given, restRequest);
    }
    const answered = await login(gateway, given, { requestId: request.id });
    if (!(answered instanceof LoginRefused)) {
      return infisicalReply(200, { ...answered, tokenType: 'Bearer' });
    }
    request.refusal = new Unauthenticated('claims', true);
    const { status, error, message } = answered;
    return infisicalError(restRequest, status, error, message);
  },
};
