import type { FastifyRequest } from 'fastify';
import type { Actor } from '../actor.ts';
import { createToken, type NewToken } from '../credentials/access-token/create.ts';
import { carryOut } from '../credentials/carry-out.ts';
import type { Gateway } from '../gateway.ts';
import { isPermission, missingPermissions } from '../permissions.ts';
import { Unauthenticated } from '../refusals.ts';
import type { Reply } from '../rest/dialect.ts';
import { hashSecret } from '../secrets.ts';
import { scopeOf, signAccessToken } from '../tokens.ts';
import { clientWords, invalid, Refused, unkept } from './answers.ts';
import { authenticateClient } from './client.ts';
import type { Form } from './form.ts';

/** For how long a token of a client is good. */
export const CLIENT_TOKEN_TTL_S = 3_600;

/** `POST /oauth/token`: a token for a client itself (RFC 6749, 4.4; RFC 9068). */
export async function token(
  gateway: Gateway,
  request: FastifyRequest,
  form: Form,
): Promise<Reply | Refused> {
  const actor = await authenticateClient(gateway, request, form);
  if (actor instanceof Refused) return actor;
  const grant = form.get('grant_type');
  if (grant === undefined) return invalid('grant_type', 'The parameter grant_type is missing.');
  if (grant !== 'client_credentials') {
    const message = 'The grant_type is client_credentials.';
    return invalid('grant_type', message, 'unsupported_grant_type');
  }
  const permissions = granted(actor, form.get('scope'));
  if (permissions === undefined) {
    const message = 'The scope is a list of permissions, all of them the own ones of the client.';
    return invalid('scope', message, 'invalid_scope');
  }

  const { credentialId: issuerId, organizationId, organizationSlug: organization } = actor;
  if (issuerId === null) throw new Error('A client has an id');
  const id = gateway.newId();
  const issuedAtMs = gateway.now();
  const expiresAtMs = issuedAtMs + CLIENT_TOKEN_TTL_S * 1000;
  const jwt = await signAccessToken(gateway, {
    ...{ id, subject: issuerId, organization, permissions, issuedAtMs, expiresAtMs },
    chain: [issuerId, organizationId],
  });
  const input: NewToken = {
    ...{ id, issuerId, permissions, expiresAtMs, secretHash: hashSecret(jwt) },
    issuerKind: 'oauth-client',
    // It is called like its client, and is the client's own.
    ...{ name: null, issuance: null, needed: [] },
  };
  const call = { actor, surface: 'oauth', requestId: request.id } as const;
  const answered = await carryOut(gateway, createToken, input, call);
  if ('refused' in answered) {
    // The client, or what is above it, has been revoked in the meantime.
    const { refused } = answered;
    return clientWords.unauthenticated(
      refused instanceof Unauthenticated ? refused : new Unauthenticated('ownerRevoked'),
    );
  }
  return unkept(200, {
    access_token: jwt,
    token_type: 'Bearer',
    expires_in: CLIENT_TOKEN_TTL_S,
    scope: scopeOf(permissions),
  });
}

/** What a scope asks for, where the client may do all of it; without one, all that it may do. */
function granted(actor: Actor, scope: string | undefined): readonly string[] | undefined {
  if (scope === undefined) return actor.permissions;
  const asked = [...new Set(scope.split(' ').filter((part) => part !== ''))];
  const allowed =
    asked.length > 0 &&
    asked.every(isPermission) &&
    missingPermissions(actor.permissions, asked).length === 0;
  return allowed ? asked : undefined;
}
