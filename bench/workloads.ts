import { hashSecret } from '../src/secrets.ts';
import { requestText } from './http-text.ts';
import { applicationOf, idOf, keySecretOf, opaqueTokenOf } from './rows.ts';
import type { Callers } from './template.ts';

/** What is asked of a server. */
export interface Asked {
  /** The whole request about item `i`. */
  request(i: number): string;
  /** Whether an answer with status 200 is the right one. */
  isRight(body: string, i: number): boolean;
}

/** What is asked of the gateway, and of every server that answers like it. */
export interface Workload extends Asked {
  readonly name: WorkloadName;
  /** By what names the texts go that a statement may take from it: for the item, or each of its ids. */
  named(i: number): readonly Readonly<Record<string, string>>[];
  /** What the answer says that is not in the request, by its name. */
  told?(i: number): Readonly<Record<string, string>>;
}

export type WorkloadName =
  | 'health'
  | 'rest-revoke'
  | 'graphql-revoke'
  | 'introspect'
  | 'introspect-jwt'
  | 'bulk-revoke';

const JSON_TYPE = { 'content-type': 'application/json' };
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };

const namesOfKey = ({ admin }: Callers, i: number) => ({
  callerHash: hashSecret(admin),
  applicationId: applicationOf(i),
  keyId: idOf('key', i),
});

/** Whether the server can do its work. */
export const health: Workload = {
  name: 'health',
  request: () => requestText('GET', '/health/ready', {}),
  isRight: (body) => body.startsWith('{"status":"ok"'),
  named: () => [{}],
};

/** Revokes API key `i` through the path of a product. */
export const restRevoke = (callers: Callers): Workload => {
  const headers = { authorization: `Bearer ${callers.admin}` };
  return {
    name: 'rest-revoke',
    request: (i) =>
      requestText(
        'DELETE',
        `/api/v1/applications/${applicationOf(i)}/api-keys/${idOf('key', i)}`,
        headers,
      ),
    isRight: (body) => body === '{}',
    named: (i) => [namesOfKey(callers, i)],
  };
};

/** What a client of the graph asks for when it revokes an API key. */
export const REVOKE_API_KEY = `mutation RevokeApiKey($input: RevokeApiKeyInput!) {
  revokeApiKey(input: $input) {
    __typename
    ... on RevokeApiKeySuccess { revocation { id kind target revokedAt reason actor } }
    ... on Error { code message }
  }
}`;

/** Revokes API key `i` through GraphQL. */
export const graphqlRevoke = (callers: Callers): Workload => ({
  name: 'graphql-revoke',
  request: graphqlRequest(callers, REVOKE_API_KEY, (i) => ({
    applicationId: applicationOf(i),
    keyId: idOf('key', i),
  })),
  isRight: (body, i) => body.includes('"RevokeApiKeySuccess"') && body.includes(idOf('key', i)),
  named: (i) => [namesOfKey(callers, i)],
});

/** What whoever revokes many wants to know: how many it were, and which not, and why. */
const REVOKE_MANY = `mutation RevokeMany($input: RevokeManyInput!) {
  revokeMany(input: $input) {
    __typename
    ... on RevokeManySuccess { revoked refused results { id error { code message } } }
    ... on Error { code message }
  }
}`;

/** Revokes so many API keys with one request: those of batch `i`. */
export const bulkRevoke = (callers: Callers, idsPerRequest: number): Workload => {
  const keysOf = (i: number) =>
    Array.from({ length: idsPerRequest }, (_, n) => i * idsPerRequest + n);
  return {
    name: 'bulk-revoke',
    request: graphqlRequest(callers, REVOKE_MANY, (i) => ({
      kind: 'API_KEY',
      ids: keysOf(i).map((key) => idOf('key', key)),
    })),
    isRight: (body) => body.includes(`"revoked":${idsPerRequest},"refused":0`),
    named: (i) => keysOf(i).map((key) => namesOfKey(callers, key)),
  };
};

function graphqlRequest({ admin }: Callers, query: string, input: (i: number) => object) {
  const headers = { authorization: `Bearer ${admin}`, ...JSON_TYPE };
  const before = `{"query":${JSON.stringify(query)},"variables":{"input":`;
  return (i: number) =>
    requestText('POST', '/graphql', headers, `${before}${JSON.stringify(input(i))}}}`);
}

/** Asks about API key `i`, an opaque secret. */
export const introspect = (callers: Callers): Workload =>
  introspection('introspect', callers, keySecretOf, (i) => idOf('key', i));

/** Asks about access token `i`, a JWT that the gateway signed. */
export const introspectJwt = (callers: Callers, tokens: readonly string[]): Workload =>
  introspection(
    'introspect-jwt',
    callers,
    (i) => tokens[i] ?? '',
    (i) => idOf('token', i),
  );

function introspection(
  name: WorkloadName,
  { client }: Callers,
  secretOf: (i: number) => string,
  idOfValue: (i: number) => string,
): Workload {
  const basic = btoa(`${client.clientId}:${client.clientSecret}`);
  const headers = { authorization: `Basic ${basic}`, ...FORM_TYPE };
  return {
    name,
    request: (i) => requestText('POST', '/oauth/introspect', headers, `token=${secretOf(i)}`),
    isRight: (body, i) => body.startsWith('{"active":true') && body.includes(idOfValue(i)),
    named: (i) => [
      {
        callerHash: hashSecret(client.clientSecret),
        tokenHash: hashSecret(secretOf(i)),
      },
    ],
    told: (i) => ({ tokenId: idOfValue(i) }),
  };
}

/** Asks oidc-provider about its token `i`, with a hint that spares it one of three reads. */
export const oidcIntrospect = ({ client }: Callers): Asked => {
  const basic = btoa(`${client.clientId}:${client.clientSecret}`);
  const headers = { authorization: `Basic ${basic}`, ...FORM_TYPE };
  return {
    request: (i) =>
      requestText(
        'POST',
        '/token/introspection',
        headers,
        `token=${opaqueTokenOf(i)}&token_type_hint=access_token`,
      ),
    isRight: (body) => body.includes('"active":true'),
  };
};

/** Asks better-auth about API key `i`. */
export const betterAuthVerify: Asked = {
  request: (i) => requestText('POST', '/verify', JSON_TYPE, `{"key":"${keySecretOf(i)}"}`),
  isRight: (body, i) => body.includes('"valid":true') && body.includes(idOf('key', i)),
};

/** Deletes API key `i` at better-auth. */
export const betterAuthDelete = (cookie: string): Asked => {
  const headers = { ...JSON_TYPE, cookie };
  return {
    request: (i) =>
      requestText('POST', '/api/auth/api-key/delete', headers, `{"keyId":"${idOf('key', i)}"}`),
    isRight: (body) => body === '{"success":true}',
  };
};
