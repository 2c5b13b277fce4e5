import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import type { AnyCredential } from '../src/credentials/kinds.ts';
import { type Answer, type Harness, openGateway } from './harness.ts';
import { makeTarget, mutationOf, restPath, unknownInput, withSixth } from './kinds.ts';

/**
 * Every kind, a sixth one included, on every surface that it has, for every answer that all kinds
 * share. Each case looks at the reply, at the row and at the ledger.
 */

type Result = Record<string, unknown> & { __typename: string };

/** What both surfaces can be asked, and how each tells what came of it. */
interface Surface {
  readonly name: string;
  readonly applies: (credential: AnyCredential) => boolean;
  ask(
    h: Harness,
    credential: AnyCredential,
    input: Record<string, string>,
    token?: string,
  ): Promise<{ code: string; revocationId?: unknown; said: string }>;
}

/** The refusals whose status tells them apart in a vendor's dialect. */
const statusCodes: Record<string, Record<number, string>> = {
  infisical: { 401: 'UNAUTHENTICATED', 403: 'PERMISSION_DENIED', 404: 'NOT_FOUND' },
  kadosei: { 401: 'UNAUTHENTICATED', 403: 'PERMISSION_DENIED', 404: 'NOT_FOUND' },
  kaiten: { 401: 'UNAUTHENTICATED', 403: 'PERMISSION_DENIED', 404: 'NOT_FOUND' },
  apinizer: { 401: 'UNAUTHENTICATED', 403: 'PERMISSION_DENIED', 404: 'NOT_FOUND' },
};

function codeOf(credential: AnyCredential, { status, body }: Answer): string {
  if (status === 200 || status === 204) return 'DONE';
  if (status === 403 && body.includes('TokenError')) return 'UNAUTHENTICATED';
  return statusCodes[credential.rest?.dialect.name ?? '']?.[status] ?? String(status);
}

const rest: Surface = {
  name: 'rest',
  applies: (credential) => credential.rest !== undefined,
  async ask(h, credential, input, token) {
    const method = credential.rest?.method ?? '';
    const answer = await h.rest(method, restPath(credential, input), token);
    const said = `${answer.status} ${answer.headers['content-type']} ${answer.body}`;
    return {
      code: codeOf(credential, answer),
      revocationId: answer.headers['revocation-id'],
      said: said.replace(/req-\w{14}/g, 'req-'),
    };
  },
};

const graphql: Surface = {
  name: 'graphql',
  applies: () => true,
  async ask(h, credential, input, token) {
    const { status, data, errors } = await h.graphql<{ result: Result }>(
      mutationOf(credential),
      { input },
      token,
    );
    expect(errors).toBeUndefined();
    expect(status).toBe(200);
    const revocation = data.result.revocation as { id: string } | undefined;
    return {
      code: revocation === undefined ? String(data.result.code) : 'DONE',
      revocationId: revocation?.id,
      said: JSON.stringify(data.result),
    };
  },
};

/** What a repeated revocation is called: some dialects have no word for it. */
const repeated = (surface: Surface, credential: AnyCredential): string[] => {
  if (surface === graphql) return ['ALREADY_REVOKED'];
  return ['jwt-auth', 'jwk-validation'].includes(credential.graph.kind) ? ['400'] : ['NOT_FOUND'];
};

const open = () => openGateway({ credentials: withSixth });

/** Nothing has changed but the ledger, which has these outcomes. */
async function expectUnchanged(h: Harness, before: unknown, refusals: string[]) {
  expect(await h.rows()).toEqual(before);
  const entries = await h.ledger();
  expect(entries.map(({ outcome, refusal }) => `${outcome} ${refusal}`)).toEqual(
    refusals.map((refusal) => `refused ${refusal}`),
  );
}

for (const credential of withSixth) {
  for (const surface of [rest, graphql].filter(({ applies }) => applies(credential))) {
    const { kind } = credential.graph;

    describe(`${kind} through ${surface.name}`, () => {
      test('is revoked: the row, the ledger and the answer agree', async () => {
        const h = await open();
        const { input, rowId } = await makeTarget(h, kind, 'acme');
        const before = Date.now();
        const answer = await surface.ask(h, credential, input, h.demo.callers.admin);

        expect(answer.code).toBe('DONE');
        const [entry, ...others] = await h.ledger();
        expect(others).toEqual([]);
        expect(entry).toMatchObject({
          seq: 1,
          id: answer.revocationId,
          action: 'revoke',
          kind,
          target_id: rowId,
          target: Object.values(input).join('/'),
          outcome: 'done',
          refusal: null,
          actor: 'admin',
          surface: surface.name,
          request_id: expect.stringMatching(/^req-\w{14}$/),
        });
        expect(entry?.at_ms).toBeGreaterThanOrEqual(before);
        expect(await h.row(rowId)).toMatchObject({
          revoked_at_ms: entry?.at_ms,
          revoked_by: 'admin',
          reason: 'UNSPECIFIED',
          revocation_id: entry?.id,
        });
      });

      test('touches no other row', async () => {
        const h = await open();
        const { input, rowId } = await makeTarget(h, kind, 'acme');
        await makeTarget(h, kind, 'acme');
        const others = async () => (await h.rows()).filter(({ id }) => id !== rowId);
        const before = await others();
        await surface.ask(h, credential, input, h.demo.callers.admin);
        expect(await others()).toEqual(before);
      });

      test('is revoked once: repeating it says so and changes nothing', async () => {
        const h = await open();
        const { input, rowId } = await makeTarget(h, kind, 'acme');
        await surface.ask(h, credential, input, h.demo.callers.admin);
        const revoked = await h.row(rowId);
        const answer = await surface.ask(h, credential, input, h.demo.callers.personalAccessToken);

        expect(repeated(surface, credential)).toContain(answer.code);
        expect(answer.revocationId).toBeUndefined();
        expect(await h.row(rowId)).toEqual(revoked);
        expect((await h.ledger()).map(({ refusal }) => refusal)).toEqual([null, 'ALREADY_REVOKED']);
      });

      test('50 at once: one is done, 49 find it revoked', async () => {
        const h = await open();
        const { input } = await makeTarget(h, kind, 'acme');
        const answers = await Promise.all(
          Array.from({ length: 50 }, () => surface.ask(h, credential, input, h.demo.callers.admin)),
        );
        const done = answers.filter(({ code }) => code === 'DONE');
        const rest = answers.filter(({ code }) => repeated(surface, credential).includes(code));
        expect([done.length, rest.length]).toEqual([1, 49]);
        const refusals = (await h.ledger()).map(({ outcome, refusal }) => refusal ?? outcome);
        expect(refusals.toSorted()).toEqual([...Array(49).fill('ALREADY_REVOKED'), 'done']);
      });

      test('an unknown target is not found, and is kept as a fingerprint', async () => {
        const h = await open();
        const { input } = await makeTarget(h, kind, 'acme');
        const before = await h.rows();
        const unknown = unknownInput(input);
        const answer = await surface.ask(h, credential, unknown, h.demo.callers.admin);
        expect(answer.code).toBe('NOT_FOUND');
        await expectUnchanged(h, before, ['NOT_FOUND']);
        const [entry] = await h.ledger();
        expect(entry?.target).toMatch(/^fingerprint:[\w-]{22}$/);
      });

      test("another organization's target is answered like an unknown one", async () => {
        const h = await open();
        const { input } = await makeTarget(h, kind, 'globex');
        const before = await h.rows();
        const unknown = unknownInput(input);
        const [foreign, missing] = [
          await surface.ask(h, credential, input, h.demo.callers.admin),
          await surface.ask(h, credential, unknown, h.demo.callers.admin),
        ];
        expect(withoutNames(foreign.said, input)).toBe(withoutNames(missing.said, unknown));
        await expectUnchanged(h, before, ['NOT_FOUND', 'NOT_FOUND']);
      });

      test('a caller without the permission is refused, before the state is told', async () => {
        const h = await open();
        const { input } = await makeTarget(h, kind, 'acme');
        const before = await h.rows();
        const live = await surface.ask(h, credential, input, h.demo.callers.viewer);
        expect(live.code).toBe('PERMISSION_DENIED');
        await expectUnchanged(h, before, ['PERMISSION_DENIED']);

        await surface.ask(h, credential, input, h.demo.callers.admin);
        const revoked = await surface.ask(h, credential, input, h.demo.callers.viewer);
        expect(revoked.said).toBe(live.said);
      });

      test.each<[string, (h: Harness) => string | undefined | Promise<string>]>([
        ['no token', () => undefined],
        ['an expired token', (h) => h.demo.callers.expired],
        ['a malformed token', () => 'not.a.token'],
        ['an opaque token that nobody has', () => 'rgw_pat_nobody'],
        ['a token signed by somebody else', (h) => forged(h)],
        ['a token with a changed signature', (h) => changed(h.demo.callers.admin)],
        ['a revoked token', (h) => revokedCaller(h)],
        ['a key that is no caller', (h) => h.demo.apiKey[0]?.key ?? ''],
      ])('%s is not authenticated', async (_case, tokenOf) => {
        const h = await open();
        const { input } = await makeTarget(h, kind, 'acme');
        const token = await tokenOf(h);
        const [rows, ledger] = [await h.rows(), await h.ledger()];
        const answer = await surface.ask(h, credential, input, token);
        expect(answer.code).toBe('UNAUTHENTICATED');
        if (token !== undefined) expect(answer.said).not.toContain(token);
        expect(await h.rows()).toEqual(rows);
        expect(await h.ledger()).toEqual(ledger);
      });
    });
  }
}

/** The words without the ids that the caller itself sent. */
function withoutNames(said: string, input: Record<string, string>): string {
  return Object.values(input).reduce((text, name) => text.replaceAll(name, '…'), said);
}

/** The claims of the admin's token under a key that is not ours. */
async function forged(h: Harness): Promise<string> {
  const [, payload = ''] = h.demo.callers.admin.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
  const { privateKey } = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
  return await new SignJWT({ ...claims }).setProtectedHeader({ alg: 'EdDSA' }).sign(privateKey);
}

function changed(token: string): string {
  const [header, payload, signature = ''] = token.split('.');
  return `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
}

async function revokedCaller(h: Harness): Promise<string> {
  const tokenId = h.demo.accessToken[0]?.tokenId ?? '';
  await h.rest('POST', `/api/v1/auth/token-auth/tokens/${tokenId}/revoke`, h.demo.callers.admin);
  return h.demo.accessToken[0]?.token ?? '';
}
