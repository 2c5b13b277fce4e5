import { describe, expect, test } from 'vitest';
import { callers } from '../src/authenticate.ts';
import { authMethods } from '../src/standing.ts';
import { credentialOf, whoIs } from './callers.ts';
import { ask } from './creation.ts';
import { creationOf, creations } from './creations.ts';
import { type Harness, openGateway } from './harness.ts';
import { mutationOf, restPath } from './kinds.ts';
import { type Life, type Living, lives, verdict } from './lives.ts';
import { stored } from './stored.ts';

/** What is made works, until it or anything above it is revoked, and then not once more. */

/** What ends a credential, through each surface that can. */
interface Ending {
  readonly life: Life;
  readonly kind: string;
  readonly surface: string;
  /** Whether it has revoked. */
  revoke(h: Harness, living: Living): Promise<boolean>;
}

const throughGraphql = (life: Life, kind: string): Ending => ({
  ...{ life, kind, surface: 'GraphQL' },
  async revoke(h, { addresses }) {
    const { data } = await h.graphql<{ result: object }>(
      mutationOf(credentialOf(kind)),
      { input: addresses[kind] },
      h.demo.callers.admin,
    );
    return 'revocation' in data.result;
  },
});

const throughRest = (life: Life, kind: string): Ending => ({
  ...{ life, kind, surface: 'REST' },
  async revoke(h, { addresses }) {
    const credential = credentialOf(kind);
    const path = restPath(credential, addresses[kind] ?? {});
    const { headers } = await h.rest(credential.rest?.method ?? '', path, h.demo.callers.admin);
    return headers['revocation-id'] !== undefined;
  },
});

/** By the secret itself; a client of its own asks. */
const throughOauth = (life: Life, kind: string): Ending => ({
  ...{ life, kind, surface: 'OAuth' },
  async revoke(h, { secret }) {
    const { clientId, clientSecret } = h.demo.oauthClient;
    const { status } = await h.rest('POST', '/oauth/revoke', undefined, {
      headers: {
        authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      payload: `token=${encodeURIComponent(secret)}`,
    });
    return status === 200;
  },
});

const endings = lives.flatMap((life) =>
  life.kinds.flatMap((kind, i) => [
    throughGraphql(life, kind),
    ...(credentialOf(kind).rest === undefined ? [] : [throughRest(life, kind)]),
    ...(i === 0 ? [throughOauth(life, kind)] : []),
  ]),
);

/** Whether the bearer is known, for secrets with which this gateway is called. */
const isKnown = async (h: Harness, { kinds: [kind] }: Life, { secret }: Living) =>
  callers.has(kind) ? (await whoIs(h, secret)) !== null : undefined;

describe.each(endings)('$life.last: the $kind is revoked through $surface', (ending) => {
  const { life, kind } = ending;
  const [own] = life.kinds;

  test('what was accepted is refused with the very next request, its siblings are not', async () => {
    const h = await openGateway();
    const living = await life.make(h);
    // An identity has one auth method of a kind.
    const above = authMethods.has(kind) ? [] : life.kinds.slice(life.kinds.indexOf(kind) + 1);
    const shared = Object.entries(living.addresses).filter(([each]) => above.includes(each));
    const sibling = await life.make(h, Object.fromEntries(shared));
    const known = callers.has(own) ? true : undefined;
    for (const each of [living, sibling]) {
      expect(await verdict(h, each.secret)).toBe('good');
      expect(await isKnown(h, life, each)).toBe(known);
    }

    expect(await ending.revoke(h, living)).toBe(true);
    const lost = authMethods.has(kind) ? 'methodRevoked' : 'ownerRevoked';
    expect(await verdict(h, living.secret)).toBe(kind === own ? 'revoked' : lost);
    expect(await isKnown(h, life, living)).toBe(known && false);
    expect(await verdict(h, sibling.secret)).toBe('good');
    expect(await isKnown(h, life, sibling)).toBe(known);

    const [entry] = (await h.ledger()).slice(-1);
    expect(entry).toMatchObject({ action: 'revoke', kind, outcome: 'done' });
    expect(await h.row(entry?.target_id ?? '')).toMatchObject({ revocation_id: entry?.id });
  });
});

const inherited = lives.flatMap((life) => life.kinds.slice(1).map((kind) => ({ life, kind })));

describe.each(inherited)('$life.last and the revocation of its $kind', ({ life, kind }) => {
  test('nothing is made below it afterwards', async () => {
    const h = await openGateway();
    const living = await life.make(h);
    await throughGraphql(life, kind).revoke(h, living);
    const before = await stored(h);
    const { code } = await ask(h, creationOf(life.last), life.again(living, 'late'));
    // Where an auth method is gone, the identity has none.
    expect(code).toBe(kind === 'token-auth' ? 'TOKEN_AUTH_NOT_CONFIGURED' : 'OWNER_REVOKED');
    expect(await stored(h)).toEqual(before);
  });

  test('at the same time as 50 are made: none of those is good, and none comes after', async () => {
    const h = await openGateway();
    const living = await life.make(h);
    const creation = creationOf(life.last);
    const makeMore = (from: number) =>
      Array.from({ length: 25 }, (_, i) =>
        ask(h, creation, life.again(living, `more-${from + i}`)),
      );
    const first = makeMore(0);
    await Promise.race(first);
    const revoked = throughGraphql(life, kind).revoke(h, living);
    const made = await Promise.all([...first, ...makeMore(25)]);

    expect(await revoked).toBe(true);
    const secrets = made.flatMap(({ secret }) => secret ?? []);
    expect(secrets.length).toBeGreaterThan(0);
    expect(secrets.length).toBeLessThan(50);
    for (const secret of [living.secret, ...secrets]) {
      expect(await verdict(h, secret)).not.toBe('good');
    }
    const entries = await h.ledger();
    const end = entries.find(({ action }) => action === 'revoke')?.seq ?? 0;
    const after = entries.filter(({ seq }) => seq > end);
    expect(after.map(({ outcome }) => outcome)).toEqual(Array(50 - secrets.length).fill('refused'));
    const rows = (await h.rows()).filter(({ created_by }) => created_by === 'admin');
    expect(rows.filter(({ kind: each }) => each === life.kinds[0])).toHaveLength(
      secrets.length + 1,
    );
  });
});

test('each kind whose secret the gateway makes has its life here', () => {
  const secret = creations.flatMap((each) => each.secret?.kind ?? []);
  expect(new Set(lives.map(({ kinds: [own] }) => own))).toEqual(new Set(secret));
});
