import type { FastifyRequest } from 'fastify';
import type { Revocable } from '../../db/tables.ts';
import type { Actor } from '../actor.ts';
import { actorOf } from '../authenticate.ts';
import type { Gateway } from '../gateway.ts';
import { Unauthenticated, type UnauthenticatedReason } from '../refusals.ts';
import { hashSecret } from '../secrets.ts';
import { chainOf, permissionsOf, standing } from '../standing.ts';
import { clientWords, invalid, type Refused } from './answers.ts';
import { ASSERTION_TYPE, clientOfAssertion } from './assertion.ts';
import type { Form } from './form.ts';
import { oauthPaths } from './paths.ts';

/** How clients authenticate, by the names of the OAuth registry. */
export const clientAuthMethods = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
] as const;

/** A client that is good and all above it, or why there is none. */
type Found = readonly Revocable[] | UnauthenticatedReason;

/** Whether a form has something by which a client proves who it is. */
export const authenticatesInForm = (form: Form): boolean =>
  ['client_secret', 'client_assertion', 'client_assertion_type'].some((name) => form.has(name));

/** Tells which client a request is from (RFC 6749, 2.3; RFC 7523, 2.2). */
export async function authenticateClient(
  gateway: Gateway,
  request: FastifyRequest,
  form: Form,
): Promise<Actor | Refused> {
  const { authorization } = request.headers;
  const secret = form.get('client_secret');
  const assertion = form.get('client_assertion');
  const type = form.get('client_assertion_type');
  const ways = [authorization, secret, assertion ?? type].filter((way) => way !== undefined);
  if (ways.length > 1) return invalid('client_id', 'Authenticate in one way, not in several.');

  const find = async (): Promise<Found> => {
    const named = form.get('client_id');
    if (authorization !== undefined) return await ofBasic(gateway, authorization, named);
    if (secret !== undefined) return await bySecret(gateway, named, secret);
    if (assertion === undefined) return 'missing';
    if (type !== ASSERTION_TYPE) return 'scheme';
    const { publicUrl } = gateway;
    const endpoints = [oauthPaths.token, request.routeOptions.url ?? ''];
    return await clientOfAssertion(gateway, assertion, {
      named,
      audiences: [publicUrl, ...endpoints.map((path) => publicUrl + path)],
    });
  };
  const found = await find();
  if (typeof found === 'string') return clientWords.unauthenticated(new Unauthenticated(found));
  const actor = clientActor(found);
  request.actor = actor;
  return actor;
}

async function ofBasic(
  gateway: Gateway,
  authorization: string,
  named: string | undefined,
): Promise<Found> {
  const [, encoded] = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization) ?? [];
  if (encoded === undefined) return 'scheme';
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  const id = formDecoded(text.slice(0, Math.max(colon, 0)));
  const secret = formDecoded(text.slice(colon + 1));
  if (id === undefined || secret === undefined) return 'malformed';
  if (named !== undefined && named !== id) return 'claims';
  return await bySecret(gateway, id, secret);
}

/** Each half is encoded as in a form (RFC 6749, 2.3.1); undefined where it is not. */
function formDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

async function bySecret(gateway: Gateway, id: string | undefined, secret: string): Promise<Found> {
  const chain = await chainOf(gateway.reader, 'secret_hash', hashSecret(secret));
  const [client] = chain;
  if (client?.kind !== 'oauth-client' || client.id !== id) return 'unknown';
  return standing(chain, gateway.now()) ?? chain;
}

/** A client as a caller: what it does, it does in its organization with its own permissions. */
const clientActor = (chain: readonly Revocable[]): Actor =>
  actorOf({
    kind: 'oauth-client',
    chain,
    name: chain[0]?.name ?? '',
    permissions: permissionsOf(chain),
    limits: undefined,
  });
