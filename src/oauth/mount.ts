import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Gateway } from '../gateway.ts';
import { json, type Reply } from '../rest/dialect.ts';
import { gatewayAnswers } from '../rest/dialects/gateway.ts';
import { mountOtherMethods, send } from '../rest/mount.ts';
import { oauthWords, Refused } from './answers.ts';
import { type Form, readForm } from './form.ts';
import { introspect } from './introspect.ts';
import { keySet, metadataOf } from './metadata.ts';
import { oauthPaths } from './paths.ts';
import { revoke } from './revoke.ts';
import { token } from './token.ts';

/** The longest body of a request to an OAuth endpoint, in bytes; beyond it the answer is 413. */
export const OAUTH_BODY_BYTES_MAX = 64 * 1024;

type Endpoint = (gateway: Gateway, request: FastifyRequest, form: Form) => Promise<Reply | Refused>;

const endpoints: readonly [path: string, endpoint: Endpoint][] = [
  [oauthPaths.token, token],
  [oauthPaths.introspection, introspect],
  [oauthPaths.revocation, revoke],
];

/** Mounts the OAuth endpoints, and what clients must know to find and believe them. */
export function mountOauth(app: FastifyInstance, gateway: Gateway): void {
  app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    const limits = { parseAs: 'string', bodyLimit: OAUTH_BODY_BYTES_MAX } as const;
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      limits,
      (_request, text, read) => read(null, text),
    );
    // A body of another type says nothing, and is left unread.
    scope.addContentTypeParser('*', (_request, _payload, ignored) => ignored(null));
    for (const [url, endpoint] of endpoints) {
      scope.post(url, async (request, reply) =>
        send(reply, await answer(gateway, endpoint, request)),
      );
      mountOtherMethods(scope, url, ['POST'], oauthWords.general);
    }
    done();
  });
  mountDocuments(app, gateway);
}

async function answer(gateway: Gateway, endpoint: Endpoint, request: FastifyRequest) {
  const { body } = request;
  const form = readForm(typeof body === 'string' ? body : undefined);
  const answered = form instanceof Refused ? form : await endpoint(gateway, request, form);
  if (!(answered instanceof Refused)) return answered;
  request.refusal = answered.refusal;
  return answered.reply;
}

function mountDocuments(app: FastifyInstance, gateway: Gateway): void {
  const get = (url: string, handler: (request: FastifyRequest, reply: FastifyReply) => unknown) => {
    app.get(url, async (request, reply) => handler(request, reply));
    mountOtherMethods(app, url, ['GET', 'HEAD'], gatewayAnswers);
  };
  const metadata = json(200, 'application/json', metadataOf(gateway.publicUrl));
  get(oauthPaths.metadata, (_request, reply) => send(reply, metadata));
  get(oauthPaths.keys, async (_request, reply) =>
    send(reply, json(200, 'application/jwk-set+json', await keySet(gateway))),
  );
  // An issuer with a path has it behind the well-known part (RFC 8414, 3.1).
  const { pathname } = new URL(gateway.publicUrl);
  if (pathname === '/') return;
  app.get(`${oauthPaths.metadata}/*`, async (request, reply) => {
    const [path] = (request.raw.url ?? '').split('?');
    return path === oauthPaths.metadata + pathname ? send(reply, metadata) : reply.callNotFound();
  });
}
