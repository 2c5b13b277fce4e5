import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { readConfig } from '../src/config.ts';
import { isUnavailable } from '../src/unavailable.ts';
import { JWKS_MAX_AGE_MS } from '../src/verify/remote-keys.ts';
import {
  assign,
  makeCredential,
  makeJwk,
  names,
  revokeKind,
  signAs,
  standingFor,
} from './assigned.ts';
import { tokenWith } from './callers.ts';
import { ask } from './creation.ts';
import { creationOf } from './creations.ts';
import { type Harness, openGateway } from './harness.ts';
import { type Loopback, listen } from './loopback.ts';
import { stored } from './stored.ts';

/** JWKs that are read from a URL: they count for as long as they are published there. */

const { projectName, username, jwkName } = names;
const createJwk = creationOf('createJwk');
const { outboundAllow } = readConfig({ OUTBOUND_ALLOW: '127.0.0.0/8' });

async function open(): Promise<Harness> {
  const h = await openGateway({ count: 0, config: { outboundAllow } });
  await makeCredential(h);
  return h;
}

/** A private key; what is published of it is `publicOf`. */
async function makeKey(kid: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { ...(await exportJWK(privateKey)), alg: 'ES256', kid };
}

const publicOf = ({ d, ...published }: JWK): JWK => published;

/** An endpoint on which keys come and go. */
async function publish(...keys: JWK[]): Promise<{ server: Loopback; published: JWK[] }> {
  const published = keys.map(publicOf);
  const server = await listen((response) => response.end(JSON.stringify({ keys: published })));
  return { server, published };
}

const given = (url: string, keyId?: string) => ({ projectName, jwkName, url, keyId });

/** A gateway on which the first of these keys is assigned, from their URL. */
async function openReading(...keys: [JWK, ...JWK[]]) {
  const { server, published } = await publish(...keys);
  const h = await open();
  expect(await ask(h, createJwk, given(server.url, keys[0].kid))).toHaveProperty('shown');
  await assign(h);
  return { h, server, published, token: await signAs(keys[0]) };
}

/** Moves the clock that tells how old a key set is; everything else goes on in real time. */
function moveClock() {
  const startMs = Date.now();
  vi.useFakeTimers({ toFake: ['Date'], now: startMs });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  return (toMs: number) => vi.setSystemTime(startMs + toMs);
}

describe('a JWT of a key that is published', () => {
  test('is accepted, and the keys are read once for many; one of another key there is not', async () => {
    const [first, second] = [await makeKey('first'), await makeKey('second')];
    const { h, server, token } = await openReading(first, second);
    for (let i = 0; i < 20; i++) expect(await standingFor(h, token)).toBe('good');
    expect(await standingFor(h, await signAs(second))).toBe('unknown');
    expect(await standingFor(h, await signAs({ ...second, kid: 'first' }))).toBe('signature');
    // Once when it was made, and once to check.
    expect(server.received).toHaveLength(2);
  });

  test.each<[string, (keys: JWK[]) => Promise<unknown>]>([
    ['is gone', async (keys) => keys.shift()],
    [
      'has given its kid to another',
      async (keys) => keys.splice(0, 1, publicOf(await makeKey('first'))),
    ],
    ['is there without its kid', async (keys) => delete keys[0]?.kid],
  ])(`is refused ${JWKS_MAX_AGE_MS} ms after the key %s`, async (_what, change) => {
    const { h, server, published, token } = await openReading(
      await makeKey('first'),
      await makeKey('second'),
    );
    const atMs = moveClock();
    expect(await standingFor(h, token)).toBe('good');
    await change(published);
    atMs(JWKS_MAX_AGE_MS - 1);
    expect(await standingFor(h, token)).toBe('good');
    atMs(JWKS_MAX_AGE_MS);
    expect(await standingFor(h, token)).toBe('signature');
    expect(server.received).toHaveLength(3);
  });

  test('is neither good nor bad while the keys cannot be read, once they are old', async () => {
    const { h, server, token } = await openReading(await makeKey('first'));
    const atMs = moveClock();
    expect(await standingFor(h, token)).toBe('good');
    await server.close();
    atMs(JWKS_MAX_AGE_MS - 1);
    expect(await standingFor(h, token)).toBe('good');
    atMs(JWKS_MAX_AGE_MS);
    const thrown: unknown = await standingFor(h, token).catch((error: unknown) => error);
    expect(isUnavailable(thrown)).toBe(true);
  });

  const ends = {
    'jwk-validation': ['revoked', { projectName, username }],
    jwk: ['revoked', { projectName, jwkName }],
    'gateway-credential': ['ownerRevoked', { projectName, username }],
  } as const;

  test.each(Object.entries(ends))(
    'is refused at once after its %s is revoked, and nobody is asked',
    async (kind, [why, input]) => {
      const { h, server, token } = await openReading(await makeKey('first'));
      expect(await standingFor(h, token)).toBe('good');
      await server.close();
      const atMs = moveClock();
      atMs(JWKS_MAX_AGE_MS);
      expect(await revokeKind(h, kind, input)).not.toHaveProperty('code');
      expect(await standingFor(h, token)).toBe(why);
      expect(server.received).toHaveLength(2);
    },
  );

  test('is refused where it is revoked while the keys are being read', async () => {
    const key = await makeKey('first');
    let asked = () => {};
    let release = () => {};
    const wasAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let reads = 0;
    const server = await listen(async (response) => {
      if (++reads > 1) {
        asked();
        await released;
      }
      response.end(JSON.stringify({ keys: [publicOf(key)] }));
    });
    const h = await open();
    await ask(h, createJwk, given(server.url));
    await assign(h);
    const standing = standingFor(h, await signAs(key));
    await wasAsked;
    await revokeKind(h, 'jwk-validation', { projectName, username });
    release();
    expect(await standing).toBe('revoked');
  });
});

const good = await makeKey('first');
const keys = (...list: object[]) => JSON.stringify({ keys: list });

describe('a JWK is not made from a URL', () => {
  test.each<[string, string, string | undefined]>([
    ['that has no JWKS', '<html>', undefined],
    ['that has none of its form', '{"keys":{}}', undefined],
    ['that has no keys', keys(), undefined],
    ['that has another key', keys(publicOf(good)), 'second'],
    ['that has several, without saying which', keys(publicOf(good), publicOf(good)), undefined],
    ['that has several of that name', keys(publicOf(good), publicOf(good)), 'first'],
    ['that has a key without a name', keys({ ...publicOf(good), kid: undefined }), undefined],
    ['that shows private keys', keys(good), undefined],
    ['that shows secrets', keys({ kty: 'oct', k: 'AAAA', kid: 'first' }), undefined],
    ['that says too much', `${keys(publicOf(good))}${' '.repeat(300_000)}`, undefined],
  ])('%s', async (_what, body, keyId) => {
    const server = await listen((response) => response.end(body));
    const h = await open();
    const before = await stored(h);
    const result = await ask(h, createJwk, given(server.url, keyId));
    expect(result).toMatchObject({ code: 'INVALID_INPUT', issues: [{ path: 'url' }] });
    expect(JSON.stringify(result)).not.toContain('html');
    expect(await stored(h)).toEqual(before);
    expect(server.received).toHaveLength(1);
  });

  test.each([301, 404, 500])('that answers %i', async (status) => {
    const { server: target } = await publish(good);
    const server = await listen((response) =>
      response
        .writeHead(status, { location: target.url })
        .end(JSON.stringify({ keys: [publicOf(good)] })),
    );
    const h = await open();
    const result = await ask(h, createJwk, given(server.url));
    expect(result).toMatchObject({ code: 'INVALID_INPUT', issues: [{ path: 'url' }] });
    expect(target.received).toEqual([]);
  });

  test('that leads to an address inside: it is not asked', async () => {
    const { server } = await publish(good);
    const h = await openGateway({ count: 0 });
    await makeCredential(h);
    for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]']) {
      const result = await ask(h, createJwk, given(`http://${host}:${server.port}/`));
      expect(result).toMatchObject({ code: 'INVALID_INPUT', issues: [{ path: 'url' }] });
    }
    expect(server.received).toEqual([]);
  });

  test('by a caller who may not: it is not asked', async () => {
    const { server } = await publish(good);
    const h = await open();
    const token = await tokenWith(h, ['SECRETS+MANAGE@other', 'IDENTITY+MANAGE']);
    expect(await ask(h, createJwk, given(server.url), token)).toMatchObject({
      code: 'PERMISSION_DENIED',
      missingPermissions: ['SECRETS+MANAGE'],
    });
    expect(server.received).toEqual([]);
  });

  test('without https, in production', async () => {
    const { server } = await publish(good);
    const config = { outboundAllow, profile: 'production' } as const;
    const h = await openGateway({ count: 0, config });
    await makeCredential(h);
    const result = await ask(h, createJwk, given(server.url));
    expect(result).toMatchObject({ code: 'INVALID_INPUT', issues: [{ path: 'url' }] });
    expect(server.received).toEqual([]);
  });
});

test('that another project has by a URL which is down is good all the same', async () => {
  const key = await makeKey('shared');
  const { h, server, token } = await openReading(key);
  const other = { ...names, projectName: 'other' };
  await makeCredential(h, other);
  await makeJwk(h, other, { publicJwk: JSON.stringify(publicOf(key)) });
  await assign(h, other);
  const atMs = moveClock();
  atMs(JWKS_MAX_AGE_MS);
  await server.close();
  expect(await standingFor(h, token)).toBe('good');
});
