import { exportSPKI } from 'jose';
import type { Config } from '../src/config.ts';
import { past } from './engine.ts';
import { type Answer, type Harness, openGateway } from './harness.ts';
import { ask, expectDone } from './identities.ts';
import { makeKey, sign } from './issuers.ts';
import type { Place } from './openapi.ts';

/** The requests by which every operation of the document gives every answer that is described. */

/** A gateway as the demo is, where the examples of the document are to be tried. */
export const openDemo = (config: Partial<Config> = {}): Promise<Harness> => {
  const url = 'http://127.0.0.1:9/';
  const environments = ['production', 'staging'].map((name) => ({ name, url }));
  return openGateway({ fixed: true, environments, config });
};

export interface Changes {
  readonly authorization?: string | undefined;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends the example of an operation, as the admin or the demo's client, but for what is changed. */
export function send(h: Harness, at: Place, changes: Changes = {}): Promise<Answer> {
  const example = (name: string) =>
    String(at.parameters?.find((parameter) => parameter.name === name)?.example ?? '');
  const path = at.path.replace(
    /\{(\w+)\}/g,
    (_whole, name: string) => changes.params?.[name] ?? encodeURIComponent(example(name)),
  );
  const query = (at.parameters ?? [])
    .filter((parameter) => parameter.in === 'query' && parameter.example !== undefined)
    .map(({ name }) => [name, example(name)]);
  const search = changes.query ?? new URLSearchParams(query).toString();
  const [[type, content] = ['', undefined]] = Object.entries(at.requestBody?.content ?? {});
  const body = changes.body ?? content?.example;
  const authorization =
    'authorization' in changes ? changes.authorization : authorizationFor(h, at);
  return h.rest(at.method, search === '' ? path : `${path}?${search}`, undefined, {
    headers: {
      ...(authorization !== undefined && { authorization }),
      ...(content !== undefined && { 'content-type': type }),
      ...changes.headers,
    },
    ...(content !== undefined && { payload: written(type, body) }),
  });
}

const written = (type: string, body: unknown): string => {
  if (typeof body === 'string') return body;
  if (type === 'application/json') return JSON.stringify(body);
  return new URLSearchParams(body as Record<string, string>).toString();
};

function authorizationFor(h: Harness, { security }: Place): string | undefined {
  const [scheme] = security.flatMap((each) => Object.keys(each));
  const { clientId, clientSecret } = h.demo.oauthClient;
  if (scheme === 'client') return `Basic ${btoa(`${clientId}:${clientSecret}`)}`;
  return scheme === undefined ? undefined : `Bearer ${h.demo.callers.admin}`;
}

const bearer = (token: string) => `Bearer ${token}`;

/** What every operation is asked: first its example, as it stands there. */
export async function* askAll(h: Harness, at: Place): AsyncGenerator<Answer> {
  const { outsider, viewer, expired } = h.demo.callers;
  const params = (at.parameters ?? []).filter((each) => each.in === 'path');
  yield await send(h, at);
  const isKnown = at.security.length > 0;
  if (isKnown) {
    for (const authorization of [undefined, bearer(expired), bearer(outsider), bearer(viewer)]) {
      yield await send(h, at, { authorization });
    }
    yield await send(h, at, { authorization: bearer(await tokenWith(h, ['ledger:read'])) });
  }
  for (const { name } of params) {
    yield await send(h, at, { params: { [name]: 'a%00b' } });
    yield await send(h, at, { params: { [name]: '%zz' } });
  }
  yield await send(h, at, { query: `x=${'y'.repeat(70_000)}` });
  if (at.requestBody !== undefined) {
    yield await send(h, at, { body: '' });
    yield await send(h, at, { body: 'x'.repeat(2 * 1024 * 1024) });
  }
  for (const changes of (await own[at.operationId]?.(h)) ?? []) yield await send(h, at, changes);
  yield await send(h, at);
  const { etag } = (await send(h, at)).headers;
  if (etag !== undefined) yield await send(h, at, { headers: { 'if-none-match': etag } });
}

/** A gateway whose tables are gone, as in a database that somebody has damaged. */
export async function openBroken(): Promise<Harness> {
  const h = await openDemo();
  const other = await past(h.folder);
  for (const table of ['revocables', 'signing_keys']) {
    await other.all(`alter table ${table} rename to ${table}_away`);
  }
  await other.close();
  return h;
}

/** A token that may do this much. */
export async function tokenWith(h: Harness, permissions: readonly string[]): Promise<string> {
  const input = { name: 'limited', permissions };
  const { data } = await h.graphql<{ made: { secret?: string } }>(
    `mutation ($input: CreatePersonalAccessTokenInput!) {
      made: createPersonalAccessToken(input: $input) {
        ... on CreatePersonalAccessTokenSuccess { secret }
      }
    }`,
    { input },
    h.demo.callers.admin,
  );
  const { secret } = data.made;
  if (secret === undefined) throw new Error('There is no such token');
  return secret;
}

/** What only one operation is asked. */
const own: Record<string, (h: Harness) => Changes[] | Promise<Changes[]>> = {
  loginWithJwtAuth: logins,
  createToken: ({ demo }) => [{ params: demo.withoutJwtAuth }],
  listTokens: ({ demo }) => [{ params: demo.withoutJwtAuth }, { query: 'limit=0' }],
  createServiceAccountToken: () => [
    { body: { name: 'x y', scopes: ['nothing'] } },
    { body: { name: 'ü', scopes: [] } },
  ],
  listServiceAccountTokens: () => [{ query: 'limit=0' }],
  issueClientToken: () => [
    { body: { grant_type: 'password' } },
    { body: { grant_type: 'client_credentials', scope: 'everything' } },
    { body: 'grant_type=a&grant_type=b' },
    { headers: { 'content-type': 'text/plain' } },
    { authorization: `Basic ${btoa('nobody:nothing')}` },
  ],
  introspect: ({ demo }) => [
    { headers: { accept: 'application/token-introspection+jwt' } },
    { body: { token: 'nothing' } },
    { body: { token: demo.callers.admin } },
    { body: { token: 'nothing', client_ip: 'nowhere' } },
  ],
  acknowledge: async (h) => {
    const authorization = bearer(await pointToken(h));
    return [
      { authorization, body: { seq: 0 } },
      { authorization, body: { seq: 'x' } },
    ];
  },
  followFeed: async (h) => [{ authorization: bearer(await pointToken(h)), query: 'after=x' }],
  postGraphql: () => [
    { body: {} },
    { headers: { accept: 'text/event-stream' } },
    { body: {}, headers: { accept: 'text/event-stream' } },
    { body: { query: '{' } },
    { headers: { accept: 'image/png' } },
    { headers: { 'content-type': 'text/plain' } },
    { headers: { accept: 'application/graphql-response+json' } },
    { headers: { host: 'a b' } },
  ],
  getGraphql: () => [
    { query: 'a=b' },
    { headers: { accept: 'text/event-stream' } },
    { query: 'a=b', headers: { accept: 'text/event-stream' } },
    { query: 'query=mutation{__typename}', headers: { accept: 'text/event-stream' } },
    { query: 'query={' },
    { query: 'query={', headers: { accept: 'application/graphql-response+json' } },
    { headers: { host: 'a b' } },
    { query: 'query=mutation{__typename}' },
    { headers: { accept: 'image/png' } },
    { headers: { accept: 'text/html' } },
  ],
  getApiPageFile: () => [{ params: { file: 'nothing' } }],
};

/** Follows the feed over a socket, as it has no end, until each kind of event has come. */
export async function followFeed(h: Harness, { path }: Place): Promise<Answer> {
  const url = await h.app.listen({ host: '127.0.0.1', port: 0 });
  const stop = new AbortController();
  const response = await fetch(url + path, {
    headers: { authorization: bearer(await pointToken(h)) },
    signal: stop.signal,
  });
  let body = '';
  for await (const chunk of response.body ?? []) {
    if (body === '') {
      const { applicationId, keyId } = h.demo.apiKey[2] ?? {};
      const key = `/api/v1/applications/${applicationId}/api-keys/${keyId}`;
      await h.rest('DELETE', key, h.demo.callers.admin);
    }
    body += Buffer.from(chunk).toString();
    if (['snapshot', 'position', 'change'].every((event) => body.includes(event))) break;
  }
  stop.abort();
  return { status: response.status, headers: Object.fromEntries(response.headers), body };
}

/** The token of an enforcement point. */
async function pointToken(h: Harness): Promise<string> {
  const { data } = await h.graphql<{ made: { secret: string } }>(
    `mutation {
      made: createEnforcementPoint(input: { name: "${crypto.randomUUID()}" }) {
        ... on CreateEnforcementPointSuccess { secret }
      }
    }`,
    {},
    h.demo.callers.admin,
  );
  return data.made.secret;
}

/** Somebody logs in; somebody of another issuer; and to an identity that has no JWT Auth. */
async function logins(h: Harness): Promise<Changes[]> {
  const key = await makeKey();
  const { identityId = '' } = h.demo.withoutJwtAuth;
  const publicKeys = [await exportSPKI(key.publicKey)];
  const boundIssuer = 'https://issuer.example';
  const attached = { identityId, configurationType: 'STATIC', publicKeys, boundIssuer };
  expectDone(await ask(h, 'attachJwtAuth', attached));
  const exp = Math.floor(h.running.gateway.now() / 1000) + 60;
  return [
    { body: { identityId, jwt: await sign(key, { exp, iat: exp - 60 }) } },
    { body: { identityId, jwt: await sign(key, { exp, iat: exp - 60, iss: 'https://other' }) } },
    { body: { identityId, jwt: 'x' } },
    { body: { identityId: 'nobody', jwt: 'x' } },
  ];
}
