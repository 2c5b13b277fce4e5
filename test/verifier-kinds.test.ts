import { describe, expect, test } from 'vitest';
import type { Verifier } from '../src/verifier/index.ts';
import { caughtUp, follow, mutate, reached, said, until } from './enforcement.ts';
import { newToken, withTokenAuth } from './identities.ts';
import { ISSUER } from './issuers.ts';
import { assignedJwt, basic, post, serveTrusting, tokenOf } from './oauth-clients.ts';

/** Every kind of credential at an enforcement point, and all that ends it: at once, and it alone. */

type Served = Awaited<ReturnType<typeof serveTrusting>>;

/** A credential, another like it that must stay good, and what is revoked for the first to end. */
interface Case {
  readonly secret: string;
  readonly sibling: string;
  /** Mutation by mutation, what each takes. */
  readonly ends: Readonly<Record<string, object>>;
}

const makers: Record<string, (h: Served) => Promise<Case>> = {
  'API key': async ({ demo: { apiKey } }) => {
    const [first, second] = pair(apiKey);
    const { applicationId, keyId } = first;
    const ends = { revokeApiKey: { applicationId, keyId }, revokeApplication: { applicationId } };
    return { secret: first.key, sibling: second.key, ends };
  },
  'service account token': async ({ demo: { serviceAccountToken } }) => {
    const [first, second] = pair(serviceAccountToken);
    const { serviceAccountSlug, tokenSlug } = first;
    const ends = {
      revokeServiceAccountToken: { serviceAccountSlug, tokenSlug },
      revokeServiceAccount: { serviceAccountSlug },
    };
    return { secret: first.token, sibling: second.token, ends };
  },
  'personal access token': async (h) => {
    const make = () =>
      mutate<{ secret: string; personalAccessToken: { id: string } }>(
        reached(h),
        'createPersonalAccessToken',
        { name: 'of a test', permissions: ['ledger:read'] },
        'secret personalAccessToken { id }',
      );
    const [first, second] = [await make(), await make()];
    const personalAccessTokenId = first.personalAccessToken.id;
    const ends = { revokePersonalAccessToken: { personalAccessTokenId } };
    return { secret: first.secret, sibling: second.secret, ends };
  },
  'token of Token Auth': async (h) => {
    const identityId = await withTokenAuth(h);
    const token = await newToken(h, identityId);
    const sibling = await newToken(h, await withTokenAuth(h));
    const ends = {
      revokeToken: { tokenId: token.id },
      revokeTokenAuth: { identityId },
      revokeIdentity: { identityId },
    };
    return { secret: token.token, sibling: sibling.token, ends };
  },
  'token of JWT Auth': async ({ demo: { jwtAuth } }) => {
    const [first, second] = pair(jwtAuth);
    const { identityId } = first;
    const ends = { revokeJwtAuth: { identityId }, revokeIdentity: { identityId } };
    return { secret: first.accessToken, sibling: second.accessToken, ends };
  },
  'JWT of a caller': async ({ demo: { callers } }) => ({
    ...{ secret: callers.viewer, sibling: callers.admin },
    ends: { byValue: { token: callers.viewer } },
  }),
  'token of a client': async (h) => {
    const { oauthClient: client, limitedOauthClient } = h.demo;
    const secret = await tokenOf(h, limitedOauthClient);
    const { clientId } = limitedOauthClient;
    const ends = { byValue: { token: secret }, revokeOauthClient: { clientId } };
    return { secret, sibling: await tokenOf(h, client), ends };
  },
  'secret of a client': async ({ demo: { limitedOauthClient, oauthClient } }) => ({
    ...{ secret: limitedOauthClient.clientSecret, sibling: oauthClient.clientSecret },
    ends: { revokeOauthClient: { clientId: limitedOauthClient.clientId } },
  }),
  'JWT of an assigned JWK': async (h) => {
    const { token, kid } = await assignedJwt(h);
    const sibling = await assignedJwt(h);
    const [projectName, username, jwkName] = [kid, kid, kid];
    const ends = {
      unassignJwkValidation: { projectName, username },
      revokeJwk: { projectName, jwkName },
      revokeGatewayCredential: { projectName, username },
      byValue: { token },
    };
    return { secret: token, sibling: sibling.token, ends };
  },
  'JWT of a trusted issuer': async ({ trusted }) => {
    const nowS = Math.floor(Date.now() / 1000);
    const [jti, issuer] = [crypto.randomUUID(), ISSUER];
    const secret = await trusted({ jti, sub: 'ada', iat: nowS - 60 });
    const ends = {
      byValue: { token: secret },
      'revokeTrustedTokens by token': { issuer, tokenId: jti },
      'revokeTrustedTokens by subject': { issuer, subject: 'ada' },
      'revokeTrustedTokens by time': {
        ...{ issuer, issuedBefore: new Date((nowS - 30) * 1000).toISOString() },
      },
    };
    return { secret, sibling: await trusted({ sub: 'bob', iat: nowS }), ends };
  },
};

function pair<T>([first, second]: readonly T[]): [T, T] {
  if (first === undefined || second === undefined) throw new Error('The demo has too few');
  return [first, second];
}

/** Has it end, as a client of the gateway would. */
async function end(h: Served, by: string, input: object): Promise<void> {
  if (by !== 'byValue') return void (await mutate(reached(h), by.split(' ')[0] ?? '', input));
  const form = input as { token: string };
  const { status, headers } = await post(h, 'revoke', form, basic(h.demo.oauthClient));
  expect([status, headers.has('revocation-id')]).toEqual([200, true]);
}

/** How many verdicts the gateway has been asked for. */
const asked = (counted: { asked: number }) => counted.asked;

/** A verifier that counts what it asks. */
async function counting(h: Served): Promise<{ verifier: Verifier; counted: { asked: number } }> {
  const counted = { asked: 0 };
  const verifier = await follow(reached(h), {
    fetch: (input, init) => {
      if (String(input).endsWith('/oauth/introspect')) counted.asked += 1;
      return fetch(input, init);
    },
  });
  counted.asked = 0;
  return { verifier, counted };
}

describe.each(Object.entries(makers))('%s', (kind, make) => {
  test('is accepted, and asked about once at the most', async () => {
    const h = await serveTrusting();
    const { secret } = await make(h);
    const { verifier, counted } = await counting(h);
    for (let i = 0; i < 5; i++) {
      const verdict = await verifier.verify(secret);
      expect(verdict).toMatchObject({ ok: true, stale: false, organization: 'acme' });
    }
    const local = /caller|of a client|token of (?:Token|JWT)/.test(kind) && !/secret/.test(kind);
    expect(asked(counted)).toBe(local ? 0 : 1);
  });

  test('ends by each cause at once, and its sibling does not', async () => {
    const h = await serveTrusting();
    const causes = Object.keys((await make(h)).ends);
    expect(causes.length).toBeGreaterThan(0);
    for (const cause of causes) {
      const fresh = await serveTrusting();
      const { secret, sibling, ends } = await make(fresh);
      const { verifier } = await counting(fresh);
      const other = await follow(reached(fresh), { whenStale: 'best-effort' });
      for (const each of [verifier, other]) {
        expect([cause, await said(each, secret), await said(each, sibling)]).toEqual([
          ...[cause, 'good', 'good'],
        ]);
      }
      await end(fresh, cause, ends[cause] ?? {});
      await Promise.all(
        [verifier, other].map(async (each) => {
          await until(async () => (await said(each, secret)) !== 'good');
          await caughtUp(each, fresh);
          for (let i = 0; i < 3; i++) {
            expect([cause, await said(each, secret)]).toEqual([
              cause,
              expect.stringMatching(/^(?:revoked|invalid)$/),
            ]);
          }
          expect([cause, await said(each, sibling)]).toEqual([cause, 'good']);
        }),
      );
    }
  });
});
