import { generateKeyPairSync } from 'node:crypto';
import { exportJWK } from 'jose';
import { describe, expect, test } from 'vitest';
import { readConfig, signatureAlgorithms } from '../src/config.ts';
import { StartError } from '../src/start-error.ts';
import { makeKey, trusting } from './issuers.ts';

/** Settings under which a caller could be let in wrongly: the gateway does not start with them. */

/** What is wrong with the settings, line by line; nothing where they are good. */
function problemsOf(read: () => unknown): string[] {
  try {
    read();
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(StartError);
    return (error as Error).message.split('\n  ').slice(1);
  }
}

const goodKey = (await makeKey()).jwk;
const jwksUrl = 'https://issuer.example/jwks';

describe('a trusted issuer', () => {
  test('publishes its keys over https in production', () => {
    const read = (PROFILE: string, url: string) => () =>
      readConfig({
        PROFILE,
        TRUSTED_ISSUERS: JSON.stringify([{ issuer: 'i', audience: 'a', jwksUrl: url }]),
      });
    expect(problemsOf(read('production', 'https://issuer.example/jwks'))).toEqual([]);
    expect(problemsOf(read('development', 'http://127.0.0.1/jwks'))).toEqual([]);
    expect(problemsOf(read('production', 'http://issuer.example/jwks'))).toEqual([
      'TRUSTED_ISSUERS: a jwksUrl must be https with PROFILE=production',
    ]);
  });

  test.each(['HS256', 'HS384', 'HS512', 'none', 'RS1', 'ES256K', 'es256'])(
    'may not sign with %s',
    (algorithm) => {
      const problems = problemsOf(() => trusting({ jwksUrl, algorithms: ['ES256', algorithm] }));
      expect(problems).toEqual([
        expect.stringMatching(/^TRUSTED_ISSUERS\.0\.algorithms\.1: Invalid option/),
      ]);
    },
  );

  test('may sign with every algorithm that has a public key', () => {
    const { trustedIssuers } = trusting({ jwksUrl, algorithms: signatureAlgorithms });
    expect(trustedIssuers[0]?.algorithms).toEqual(signatureAlgorithms);
    expect(
      signatureAlgorithms.filter((name) => !/^(EdDSA|Ed25519|[EPR]S\d{3})$/.test(name)),
    ).toEqual([]);
  });

  test.each<[string, () => Promise<object> | object]>([
    ['a secret', () => ({ kty: 'oct', k: 'c2VjcmV0' })],
    ['a private key', async () => exportJWK((await makeKey()).privateKey)],
    ['half a key', () => ({ kty: 'EC', crv: 'P-256', x: 'AAAA' })],
    ['a point that is not on its curve', () => ({ kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' })],
    ['a key of no known curve', () => ({ kty: 'OKP', crv: 'Ed999', x: 'AAAA' })],
    [
      'a short RSA key',
      () => generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' }),
    ],
  ])('may not have %s for a key', async (_what, make) => {
    const bad = await make();
    expect(problemsOf(() => trusting({ keys: [goodKey] }))).toEqual([]);
    const problems = problemsOf(() => trusting({ keys: [goodKey, bad] }));
    expect(problems).toEqual([expect.stringMatching(/^TRUSTED_ISSUERS\.0\.keys\.1/)]);
  });

  test.each<[string, object]>([
    ['has neither keys nor an address of keys', {}],
    ['has keys and an address of keys', { jwksUrl, keys: [goodKey] }],
    ['has no keys at all', { keys: [] }],
    ['names a file for its keys', { jwksUrl: 'file:///etc/passwd' }],
    ['is for no audience', { jwksUrl, audience: '' }],
    ['has no name', { jwksUrl, issuer: '' }],
    ['has a setting that is misspelt', { jwksUrl, organisations: ['acme'] }],
    ['is limited to no organization', { jwksUrl, organizations: [] }],
  ])('that %s is refused', (_what, issuer) => {
    expect(problemsOf(() => trusting({ jwksUrl }))).toEqual([]);
    const problems = problemsOf(() => trusting(issuer));
    expect(problems.length).toBeGreaterThan(0);
    for (const problem of problems) expect(problem).toMatch(/^TRUSTED_ISSUERS\.0[.:]/);
  });

  test('is named once: a second entry would never be asked', () => {
    const problems = problemsOf(() => trusting({ jwksUrl }, { jwksUrl, audience: 'another' }));
    expect(problems).toEqual(['TRUSTED_ISSUERS: names an issuer twice']);
  });
});

test.each(['?a=b', '#a', 'user@'])('PUBLIC_URL is an issuer, so it is without %s', (part) => {
  const url = part.endsWith('@') ? `https://${part}a.example` : `https://a.example/${part}`;
  expect(problemsOf(() => readConfig({ PUBLIC_URL: url }))).toEqual([
    'PUBLIC_URL: must be without user, query and fragment (RFC 8414)',
  ]);
});

test('all problems are told at once', () => {
  const problems = problemsOf(() =>
    readConfig({
      PORT: 'eighty',
      HOST: '0.0.0.0',
      OUTBOUND_ALLOW: '10.0.0.0/8, inside',
      TRUSTED_ISSUERS: JSON.stringify([
        { issuer: 'a', audience: 'a', algorithms: ['HS256'] },
        { issuer: 'b', jwksUrl },
      ]),
      LOG_LEVEL: 'loud',
    }),
  );
  expect(problems.map((problem) => problem.split(':')[0]).toSorted()).toEqual([
    ...['HOST', 'LOG_LEVEL', 'OUTBOUND_ALLOW.1', 'PORT'],
    ...['TRUSTED_ISSUERS.0', 'TRUSTED_ISSUERS.0.algorithms.0', 'TRUSTED_ISSUERS.1.audience'],
  ]);
});

describe('the development profile', () => {
  test.each([
    '0.0.0.0',
    '::',
    '192.168.1.1',
    '128.0.0.1',
    '::ffff:10.0.0.1',
    'gateway.example',
    'localhost.example',
  ])('does not listen on %s, the production profile does', (HOST) => {
    const [problem, ...others] = problemsOf(() => readConfig({ HOST }));
    expect(problem).toMatch(new RegExp(`^HOST: ${HOST} can be reached from other machines`));
    expect(others).toEqual([]);
    expect(readConfig({ HOST, PROFILE: 'production' })).toMatchObject({ host: HOST });
  });

  test.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost', '::ffff:127.0.0.1'])(
    'listens on %s',
    (HOST) => {
      expect(problemsOf(() => readConfig({ HOST }))).toEqual([]);
    },
  );
});
