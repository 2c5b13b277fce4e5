import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import type { Gateway } from '../gateway.ts';
import { missingPermissions } from '../permissions.ts';
import { PermissionDenied, Unauthenticated } from '../refusals.ts';
import type { Reply } from '../rest/dialect.ts';
import { signIntrospection } from '../tokens.ts';
import type { Verified } from '../verify/verify.ts';
import { invalid, Refused, unkept } from './answers.ts';
import { authenticateCaller } from './caller.ts';
import { type Form, tokenIn } from './form.ts';
import { describeActive, describeKeeping, type Introspection } from './introspection.ts';

/** The media type of an answer that is signed (RFC 9701). */
const SIGNED_TYPE = 'application/token-introspection+jwt';

/** `POST /oauth/introspect`: whether a value is good now (RFC 7662). It counts as no use. */
export async function introspect(
  gateway: Gateway,
  request: FastifyRequest,
  form: Form,
): Promise<Reply | Refused> {
  const caller = await authenticateCaller(gateway, request, form, { points: true });
  if (caller instanceof Refused) return caller;
  const { actor, words, point } = caller;
  const missing = missingPermissions(actor.permissions, ['credential:introspect']);
  if (missing.length > 0) return words.denied(new PermissionDenied(missing));
  const token = tokenIn(form);
  if (token === undefined) return invalid('token', 'The parameter token is missing.');
  const address = form.get('client_ip');
  if (address !== undefined && isIP(address) === 0) {
    return invalid('client_ip', 'The parameter client_ip is no IP address.');
  }

  const { organizationId } = actor;
  // Where the ledger ended before the rows were read: what comes after it may make the answer untrue.
  const position = point && (await gateway.tail.position());
  const verified = await gateway.verify(token, { use: false, organizationId, address });
  const describe = (): Introspection => {
    // What belongs to others is, to this caller, like what does not exist.
    const unknown = verified instanceof Unauthenticated || ownerOf(verified) !== organizationId;
    if (unknown) return { active: false };
    const active = describeActive(gateway.publicUrl, token, verified, address);
    return position === undefined ? active : { ...active, ...describeKeeping(verified, position) };
  };
  const introspection = describe();
  if (!prefersSigned(request.headers.accept)) return unkept(200, introspection);
  const jwt = await signIntrospection(gateway, {
    audience: actor.credentialId ?? actor.name,
    issuedAtMs: gateway.now(),
    introspection,
  });
  const { headers } = unkept(200, {});
  return { status: 200, headers: { ...headers, 'content-type': SIGNED_TYPE }, body: jwt };
}

const ownerOf = ({ chain }: Verified) => chain.at(-1)?.id;

/** Whether an Accept header names the signed answer, and none that it would rather have. */
export function prefersSigned(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  const weights = new Map(
    accept.split(',').map((range) => {
      const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
      const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
      return [type, weight === undefined ? 1 : Number(weight) || 0];
    }),
  );
  const signed = weights.get(SIGNED_TYPE) ?? 0;
  const plain = ['application/json', 'application/*', '*/*']
    .map((type) => weights.get(type))
    .find((weight) => weight !== undefined);
  return signed > 0 && signed >= (plain ?? 0);
}
