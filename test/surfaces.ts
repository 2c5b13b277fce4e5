import { setTimeout } from 'node:timers/promises';
import type { Demo } from '../db/demo.ts';
import { PROBE_KEPT_MS } from '../src/database/probe.ts';

/** What a client sees of an answer: the status, when to ask again, and the surface's own word. */
export interface Seen {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly word: string | undefined;
}

type Ask = (url: string, demo: Demo, i: number) => Promise<Response>;

interface Surface {
  /** Revokes the demo data's credential with this number, or mints something. */
  readonly ask: Ask;
  readonly done: number;
  /** Where the surface has its word for what went wrong. */
  readonly wordIn: (body: never) => unknown;
  readonly unavailable: string;
}

const rest =
  (method: string, pathOf: (demo: Demo, i: number) => string): Ask =>
  (url, demo, i) =>
    fetch(url + pathOf(demo, i), { method, headers: bearer(demo) });

const bearer = ({ callers }: Demo) => ({
  authorization: `Bearer ${callers.personalAccessToken}`,
});

const oauth =
  (path: string, bodyOf: (demo: Demo, i: number) => Record<string, string>): Ask =>
  (url, demo, i) => {
    const { clientId, clientSecret } = demo.oauthClient;
    return fetch(url + path, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` },
      body: new URLSearchParams(bodyOf(demo, i)),
    });
  };

const graphql = (url: string, demo: Demo, query: string, variables = {}) =>
  fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { ...bearer(demo), 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });

const revokeApiKey = `mutation ($input: RevokeApiKeyInput!) {
  revokeApiKey(input: $input) { ... on RevocationSuccess { revocation { id } } ... on Error { code } } }`;

const error = ({ error: word }: { error?: string }) => word;

/** Three of a row are for three surfaces. */
const apiKey = (demo: Demo, i: number) => {
  const { applicationId, keyId, key } = demo.apiKey[i] ?? {};
  return { applicationId, keyId, key: key ?? '' };
};

/** Every surface that changes something. */
const surfaces: Record<string, Surface> = {
  'infisical, JWT auth': {
    ask: rest('DELETE', (demo, i) => {
      return `/api/v1/auth/jwt-auth/identities/${demo.jwtAuth[i]?.identityId}`;
    }),
    ...{ done: 200, wordIn: error, unavailable: 'ServiceUnavailable' },
  },
  'infisical, access token': {
    ask: rest('POST', (demo, i) => {
      return `/api/v1/auth/token-auth/tokens/${demo.accessToken[i]?.tokenId}/revoke`;
    }),
    ...{ done: 200, wordIn: error, unavailable: 'ServiceUnavailable' },
  },
  kadosei: {
    ask: rest('DELETE', (demo, i) => {
      const { applicationId, keyId } = apiKey(demo, 3 * i);
      return `/api/v1/applications/${applicationId}/api-keys/${keyId}`;
    }),
    ...{ done: 200, wordIn: error, unavailable: 'Service Unavailable' },
  },
  kaiten: {
    ask: rest('DELETE', (demo, i) => {
      const { serviceAccountSlug, tokenSlug } = demo.serviceAccountToken[i] ?? {};
      return `/service-accounts/${serviceAccountSlug}/tokens/${tokenSlug}`;
    }),
    done: 204,
    wordIn: ({ code }: { code?: string }) => code,
    unavailable: 'UNAVAILABLE',
  },
  apinizer: {
    ask: rest('DELETE', (demo, i) => {
      const { projectName, username } = demo.jwkValidation[i] ?? {};
      return `/apiops/projects/${projectName}/credentials/${username}/jwk/validation/`;
    }),
    ...{ done: 200, wordIn: error, unavailable: 'unavailable' },
  },
  graphql: {
    ask: (url, demo, i) => {
      const { applicationId, keyId } = apiKey(demo, 3 * i + 1);
      return graphql(url, demo, revokeApiKey, { input: { applicationId, keyId } });
    },
    done: 200,
    wordIn: (body: Graphql) => body.errors?.[0]?.extensions?.code ?? body.data?.revokeApiKey?.code,
    unavailable: 'UNAVAILABLE',
  },
  'oauth, revocation': {
    ask: oauth('/oauth/revoke', (demo, i) => ({ token: apiKey(demo, 3 * i + 2).key })),
    ...{ done: 200, wordIn: error, unavailable: 'temporarily_unavailable' },
  },
  'oauth, token': {
    ask: oauth('/oauth/token', () => ({ grant_type: 'client_credentials' })),
    ...{ done: 200, wordIn: error, unavailable: 'temporarily_unavailable' },
  },
  ready: {
    // What it said before counts for a while.
    ask: async (url) => {
      await setTimeout(PROBE_KEPT_MS);
      return await fetch(`${url}/health/ready`);
    },
    done: 200,
    wordIn: ({ status }: { status: string }) => (status === 'unavailable' ? status : undefined),
    unavailable: 'unavailable',
  },
};

interface Graphql {
  readonly data?: { readonly revokeApiKey?: { readonly code?: string } };
  readonly errors?: readonly { readonly extensions?: { readonly code?: string } }[];
}

/** Asks every surface at once to change something: each time with another `i`, other things. */
export async function changeByEach(url: string, demo: Demo, i: number) {
  const asked = Object.entries(surfaces).map(async ([name, { ask, wordIn }]) => {
    const response = await ask(url, demo, i);
    const text = await response.text();
    const word = text === '' ? undefined : wordIn(JSON.parse(text) as never);
    const retryAfter = response.headers.get('retry-after');
    return [name, { status: response.status, retryAfter, word }] as const;
  });
  return Object.fromEntries(await Promise.all(asked)) as Record<string, Seen>;
}

const seenBy = (of: (surface: Surface) => Seen): Record<string, Seen> =>
  Object.fromEntries(Object.entries(surfaces).map(([name, surface]) => [name, of(surface)]));

/** What each answers that cannot do it for now. */
export const unavailableByEach = seenBy(({ unavailable }) => ({
  ...{ status: 503, retryAfter: '1', word: unavailable },
}));

/** What each answers once it is done. */
export const doneByEach = seenBy(({ done }) => ({
  ...{ status: done, retryAfter: null, word: undefined },
}));

/** What is answered without a change: whether the gateway is alive, who asks, and what is good. */
export async function read(url: string, demo: Demo, i: number) {
  const live = await fetch(`${url}/health/live`);
  const me = await graphql(url, demo, '{ me { name } }');
  const introspection = await oauth('/oauth/introspect', () => ({
    token: demo.accessToken[i]?.token ?? '',
  }))(url, demo, i);
  const { active } = (await introspection.json()) as { active?: boolean };
  return { live: live.status, me: me.status, introspection: introspection.status, active };
}

/** What that is where all is well, of a token that is good. */
export const readable = { live: 200, me: 200, introspection: 200, active: true };
