import { STATUS_CODES } from 'node:http';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { type AnyCredential, credentials } from '../src/credentials/kinds.ts';
import type { UnauthenticatedReason } from '../src/refusals.ts';
import { parseTrustedIp } from '../src/verify/limits.ts';
import { actorOf } from './callers.ts';
import { past } from './engine.ts';
import { type Answer, FIXED_NOW_MS, type Harness, openGateway } from './harness.ts';
import { ISSUER, makeKey, sign, trusting } from './issuers.ts';
import { insert, restPath } from './kinds.ts';
import { contentTypes, wireSchemas } from './wire-schemas.ts';

/**
 * What a vendor's client sees, to the byte: one file for each kind and answer under `golden/`, each
 * body also held against the schema that the vendor publishes.
 */

const ajv = new Ajv({ strict: false });
formats.default(ajv);

const withRest = credentials.filter(({ rest }) => rest !== undefined);

/** The first demo entry of each kind, as its path names it. */
function inputOf(h: Harness, kind: string, entry = 0): Record<string, string> {
  const { jwtAuth, accessToken, apiKey, serviceAccountToken, jwkValidation } = h.demo;
  const entries: Record<string, Record<string, string>[]> = {
    'jwt-auth': jwtAuth,
    'access-token': accessToken,
    'api-key': apiKey,
    'service-account-token': serviceAccountToken,
    'jwk-validation': jwkValidation,
  };
  return entries[kind]?.[entry] ?? {};
}

const send = (h: Harness, credential: AnyCredential, token?: string, input?: object) =>
  h.rest(
    credential.rest?.method ?? '',
    restPath(credential, { ...inputOf(h, credential.graph.kind), ...input }),
    token,
  );

const withHeader = (h: Harness, credential: AnyCredential, authorization: string) =>
  h.rest(
    credential.rest?.method ?? '',
    restPath(credential, inputOf(h, credential.graph.kind)),
    undefined,
    { headers: { authorization } },
  );

type Case = (h: Harness, credential: AnyCredential) => Promise<Answer>;

/** How each way not to be known comes about. Closed: a new reason does not compile without one. */
const unauthenticated: Record<UnauthenticatedReason, Case> = {
  missing: (h, credential) => send(h, credential),
  scheme: (h, credential) => withHeader(h, credential, 'Basic YTpi'),
  empty: (h, credential) => withHeader(h, credential, 'Bearer'),
  malformed: (h, credential) => send(h, credential, 'ey.not.jwt'),
  algorithm: async (h, credential) =>
    send(
      h,
      credential,
      await new SignJWT({ iss: 'http://localhost:8080' })
        .setProtectedHeader({ alg: 'HS256' })
        .sign(new TextEncoder().encode('a secret of more than 256 bits, for HS256')),
    ),
  signature: (h, credential) => send(h, credential, `${h.demo.callers.admin.slice(0, -8)}AAAAAAAA`),
  claims: async (h, credential) =>
    send(h, credential, await ours(h, { iss: 'http://localhost:8080', aud: 'somebody else' })),
  expired: (h, credential) => send(h, credential, h.demo.callers.expired),
  revoked: async (h, credential) => {
    const { tokenId = '', token } = h.demo.accessToken[1] ?? {};
    const path = `/api/v1/auth/token-auth/tokens/${tokenId}/revoke`;
    await h.rest('POST', path, h.demo.callers.admin);
    return send(h, credential, token);
  },
  methodRevoked: async (h, credential) => {
    const { identityId = '', accessToken } = h.demo.jwtAuth[1] ?? {};
    const path = `/api/v1/auth/jwt-auth/identities/${identityId}`;
    await h.rest('DELETE', path, h.demo.callers.admin);
    return send(h, credential, accessToken);
  },
  ownerRevoked: async (h, credential) => {
    await h.running.gateway.writes.run(async (tx) => {
      await tx
        .updateTable('revocables')
        .set({ revoked_at_ms: 1 })
        .where('id', '=', h.demo.jwtAuth[1]?.identityId ?? '')
        .execute();
    });
    return send(h, credential, h.demo.jwtAuth[1]?.accessToken);
  },
  cutOff: async (h, credential) => {
    const { organizationId } = await actorOf(h, h.demo.callers.admin);
    const all = { scope: 'issuer', value: '', before_ms: null };
    await insert(h, 'cut_offs', {
      ...{ id: h.running.gateway.newId(), organization_id: organizationId },
      ...{ issuer: ISSUER, ...all },
    });
    const exp = FIXED_NOW_MS / 1000 + 60;
    return send(h, credential, await sign(outsider, { iat: exp - 60, exp }));
  },
  usedUp: async (h, credential) => {
    const { tokenId = '', token } = h.demo.accessToken[1] ?? {};
    await insert(h, 'access_tokens', {
      ...{ id: tokenId, ttl_s: 60, max_ttl_s: 60, period_s: 0 },
      ...{ num_uses: 1, num_uses_limit: 1, updated_at_ms: FIXED_NOW_MS },
    });
    return send(h, credential, token);
  },
  wrongAddress: async (h, credential) => {
    await h.running.gateway.writes.run(async (tx) => {
      const elsewhere = JSON.stringify([parseTrustedIp('192.0.2.0/24')]);
      await tx.updateTable('auth_methods').set({ access_token_trusted_ips: elsewhere }).execute();
    });
    return send(h, credential, h.demo.accessToken[1]?.token);
  },
  unknown: (h, credential) => send(h, credential, 'rgw_pat_nobody'),
};

/** A key of an issuer that the gateway trusts. */
const outsider = await makeKey();
const { trustedIssuers } = trusting({ keys: [outsider.jwk] });

/** A JWT of our own key that is no row. */
async function ours(h: Harness, claims: Record<string, string>): Promise<string> {
  const { privateKey, kid } = await h.running.gateway.signingKeys.current();
  return await new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', kid }).sign(privateKey);
}

const common: Record<string, Case> = {
  done: (h, credential) => send(h, credential, h.demo.callers.admin),
  'already-revoked': async (h, credential) => {
    await send(h, credential, h.demo.callers.admin);
    return send(h, credential, h.demo.callers.admin);
  },
  'not-found': (h, credential) => {
    const unknown = Object.keys(inputOf(h, credential.graph.kind)).map((field) => [
      field,
      field.endsWith('Id') ? '0190dead-0000-7000-8000-00000000dead' : 'nobody',
    ]);
    return send(h, credential, h.demo.callers.admin, Object.fromEntries(unknown));
  },
  foreign: (h, credential) => send(h, credential, h.demo.callers.outsider),
  'permission-denied': (h, credential) => send(h, credential, h.demo.callers.viewer),
  'malformed-id': (h, credential) => {
    const [field = ''] = Object.keys(credential.graph.input);
    return send(h, credential, h.demo.callers.admin, { [field]: 'a\0b' });
  },
  'malformed-url': (h, credential) =>
    h.rest(credential.rest?.method ?? '', malformedPath(credential), h.demo.callers.admin),
  'wrong-method': (h, credential) =>
    h.rest('PUT', restPath(credential, inputOf(h, credential.graph.kind)), h.demo.callers.admin),
  options: (h, credential) =>
    h.rest('OPTIONS', restPath(credential, inputOf(h, credential.graph.kind))),
  'unknown-path': (h, credential) =>
    h.rest('GET', `${credential.rest?.dialect.prefix}/there/is/nothing/here`),
  'uri-too-long': (h, credential) =>
    send(h, credential, h.demo.callers.admin, {
      [Object.keys(credential.graph.input).at(-1) ?? '']: 'x'.repeat(70_000),
    }),
  fault: async (h, credential) => {
    // The ledger is gone, as in a database that somebody has damaged.
    const other = await past(h.folder);
    await other.all('alter table ledger rename to lost');
    return send(h, credential, h.demo.callers.admin);
  },
};

const malformedPath = ({ rest }: AnyCredential) => (rest?.paths[0] ?? '').replace(/:\w+/g, '%zz');

/** What only one kind can answer. */
const own: Record<string, Record<string, Case>> = {
  'jwt-auth': {
    'jwt-auth-not-configured': (h, credential) =>
      send(h, credential, h.demo.callers.admin, h.demo.withoutJwtAuth),
  },
  'jwk-validation': {
    'jwk-not-assigned': (h, credential) =>
      send(h, credential, h.demo.callers.admin, h.demo.withoutJwk),
    'credential-not-found': (h, credential) =>
      send(h, credential, h.demo.callers.admin, { username: 'nobody' }),
  },
};

for (const credential of withRest) {
  const { kind } = credential.graph;
  const cases: Record<string, Case> = {
    ...common,
    ...own[kind],
    ...Object.fromEntries(
      Object.entries(unauthenticated).map(([reason, ask]) => [`unauthenticated-${reason}`, ask]),
    ),
  };

  describe(`${kind} on the wire`, () => {
    test.each(Object.entries(cases))('%s', async (name, ask) => {
      const log: string[] = [];
      const h = await openGateway({
        ...{ fixed: true, config: { trustedIssuers, logLevel: 'info' } },
        logTo: { write: (line) => log.push(line) },
      });
      const answer = await ask(h, credential);
      const reason = /^unauthenticated-(.*)/.exec(name)?.[1];
      if (reason !== undefined) expect(log.at(-1)).toContain(`"reason":"${reason}"`);
      const schema = wireSchemas[kind]?.[answer.status];
      if (schema !== undefined) {
        const body: unknown = JSON.parse(answer.body);
        expect(ajv.validate(schema, body), ajv.errorsText()).toBe(true);
      }
      const types = contentTypes[kind];
      const expected = answer.status < 300 ? types?.success : types?.error;
      if (answer.body !== '') expect(answer.headers['content-type']).toBe(expected);
      await expect(wire(answer)).toMatchFileSnapshot(`golden/${kind}/${name}.http`);
    });

    test('has a file for each of its refusals', () => {
      const files = new Set(Object.keys(cases));
      const named = credential.graph.operation.refusals.map(({ code }) =>
        code.toLowerCase().replaceAll('_', '-'),
      );
      expect(named.filter((name) => !files.has(name))).toEqual([]);
    });
  });
}

/** Status, headers and body as they go over the wire, without those that the transport adds. */
function wire({ status, headers, body }: Answer): string {
  const shown = Object.entries(headers)
    .filter(([name]) => !['date', 'connection', 'keep-alive'].includes(name))
    .map(([name, value]) => `${name}: ${value}`)
    .sort();
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...shown, '', body].join('\n');
}
