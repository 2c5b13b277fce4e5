import { describe, expect, test } from 'vitest';
import { type Harness, openGateway } from './harness.ts';
import { isGood, said, send } from './siblings.ts';

/** The siblings of the five paths: what a vendor's client makes and lists, in its own words. */

const UNKNOWN = '0190dead-0000-7000-8000-00000000dead';

describe('API keys of an application', () => {
  const pathOf = (h: Harness) => `/api/v1/applications/${h.demo.apiKey[0]?.applicationId}/api-keys`;

  test('are made, listed, used and revoked', async () => {
    const h = await openGateway();
    const made = said(
      await send(h, 'POST', pathOf(h), h.demo.callers.admin, { name: 'a second', expiresAt: null }),
    );
    expect(made).toEqual({
      status: 201,
      type: 'application/json',
      body: {
        id: expect.stringMatching(/^[\da-f-]{36}$/),
        name: 'a second',
        createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
        expiresAt: null,
        revokedAt: null,
        key: expect.stringMatching(/^rgw_key_[\w-]{43}$/),
      },
    });
    const { key, ...listed } = made.body;
    expect(await isGood(h, String(key))).toBe(true);
    const list = said(await send(h, 'GET', pathOf(h), h.demo.callers.admin));
    expect(list).toMatchObject({ status: 200, type: 'application/json' });
    expect(list.body).toEqual({ apiKeys: [listed, expect.objectContaining({ name: 'key-001' })] });
    expect(JSON.stringify(list.body)).not.toContain('rgw_key_');

    await h.rest('DELETE', `${pathOf(h)}/${listed.id}`, h.demo.callers.admin);
    expect(await isGood(h, String(key))).toBe(false);
    expect(await isGood(h, h.demo.apiKey[0]?.key ?? '')).toBe(true);
    const after = said(await send(h, 'GET', pathOf(h), h.demo.callers.admin)).body;
    expect(after.apiKeys).toMatchObject([{ revokedAt: expect.any(String) }, { revokedAt: null }]);
    const [create] = await h.ledger();
    expect(create).toMatchObject({ action: 'create', kind: 'api-key', surface: 'rest' });
    expect(JSON.stringify(await h.ledger())).not.toContain(String(key));
  });

  test.each([
    ['no name', {}, [{ field: 'name', message: 'Required' }]],
    ['a past end', { name: 'x', expiresAt: '2020-01-01T00:00:00Z' }, [{ field: 'expiresAt' }]],
    ['an end that is no date', { name: 'x', expiresAt: 'soon' }, [{ field: 'expiresAt' }]],
    ['a secret for a name', { name: 'rgw_key_abc' }, [{ field: 'name' }]],
    ['no JSON', '{bad', [{ field: 'body', message: 'Must be JSON' }]],
    ['no object', '[]', [{ field: 'body', message: 'Must be a JSON object' }]],
    ['NUL', { name: 'a\0b' }, [{ field: 'name', message: 'Must not contain NUL' }]],
    ['an id that a body gives', { id: 'x', name: 'x', __proto__: null }, undefined],
  ])('%s in a body', async (_what, body, details) => {
    const h = await openGateway();
    const before = await h.rows();
    const answer = said(await send(h, 'POST', pathOf(h), h.demo.callers.admin, body));
    if (details === undefined) {
      // The path decides.
      expect(answer.status).toBe(201);
      return;
    }
    expect(answer).toMatchObject({ status: 400, body: { error: 'Bad Request', details } });
    expect(await h.rows()).toEqual(before);
  });

  test('refusals are in the words of the product, and who asks comes first', async () => {
    const h = await openGateway();
    const { admin, viewer, outsider, expired } = h.demo.callers;
    const unknown = `/api/v1/applications/${UNKNOWN}/api-keys`;
    for (const [method, body] of [
      ['POST', { name: 'x' }],
      ['GET', undefined],
    ] as const) {
      const ask = async (path: string, token?: string) => {
        const answer = await send(h, method, path, token, body);
        return [answer.status, (JSON.parse(answer.body) as { error: string }).error];
      };
      expect(await ask(pathOf(h))).toEqual([401, 'Unauthorized']);
      expect(await ask(pathOf(h), expired)).toEqual([401, 'Unauthorized']);
      expect(await ask(pathOf(h), viewer)).toEqual([403, 'Forbidden']);
      expect(await ask(pathOf(h), outsider)).toEqual([404, 'Not Found']);
      expect(await ask(unknown, admin)).toEqual([404, 'Not Found']);
      expect(await ask('/api/v1/applications/x/api-keys', admin)).toEqual([400, 'Bad Request']);
    }
    expect((await send(h, 'POST', pathOf(h), undefined, '{bad')).status).toBe(401);
    const tooLong = await send(h, 'POST', pathOf(h), admin, { name: 'x'.repeat(70_000) });
    expect([tooLong.status, JSON.parse(tooLong.body).code]).toEqual([413, 413]);
    const wrong = await h.rest('PUT', pathOf(h), admin);
    expect([wrong.status, wrong.headers.allow]).toEqual([405, 'POST, GET, HEAD, OPTIONS']);
  });

  test('none comes of an application that is revoked', async () => {
    const h = await openGateway();
    await h.graphql(
      `mutation ($id: ID!) { revokeApplication(input: { applicationId: $id }) { __typename } }`,
      { id: h.demo.apiKey[0]?.applicationId },
      h.demo.callers.admin,
    );
    const answer = await send(h, 'POST', pathOf(h), h.demo.callers.admin, { name: 'late' });
    expect(answer.status).toBe(404);
    expect((await h.rows()).filter(({ name }) => name === 'late')).toEqual([]);
    expect((await h.ledger()).at(-1)).toMatchObject({ refusal: 'OWNER_REVOKED' });
  });
});
