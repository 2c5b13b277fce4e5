import { expect, test } from 'vitest';
import { listKeys } from '../src/keys/key-list.ts';
import { rotateKey } from '../src/keys/rotate.ts';
import { until } from './enforcement.ts';
import { past } from './engine.ts';
import { type Harness, openGateway } from './harness.ts';
import { mintAt } from './keys.ts';
import { add, insert, organizationRow } from './kinds.ts';
import { serveGateway } from './oauth-clients.ts';
import { movableClock } from './targets.ts';

/** Which key signs, by the clock and by what is in the database, and until when tokens need one. */

const rotateIn = ({ running }: Harness, publishForMs: number, emergency = false) =>
  rotateKey({ ...running.gateway, actor: 'a test', requestId: 'req-test' }, running.secretKey, {
    publishForMs,
    emergency,
  });

test('the time comes for a key, and nobody has to do anything', async () => {
  const clock = movableClock();
  const h = await openGateway({ now: clock.now });
  const { signingKeys } = h.running.gateway;
  const before = (await signingKeys.current()).kid;
  const { kid } = await rotateIn(h, 3_600_000);
  await until(async () => (await signingKeys.published()).length === 2);
  expect((await signingKeys.current()).kid).toBe(before);
  clock.advance(3_599_000);
  expect((await signingKeys.current()).kid).toBe(before);
  clock.advance(1_000);
  expect((await signingKeys.current()).kid).toBe(kid);
});

test('a gateway whose clock is behind signs with the only key that there is', async () => {
  const clock = movableClock();
  const h = await openGateway({ now: clock.now });
  const { kid } = await rotateIn(h, 0, true);
  clock.advance(-5_000);
  await until(async () => (await h.running.gateway.signingKeys.current()).kid === kid);
});

test('a key that the secret key does not open leaves the one before, and is in the log', async () => {
  const lines: { level: number; kid?: string }[] = [];
  const logTo = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const h = await serveGateway({ config: { logLevel: 'error' }, logTo });
  const { kid, publicJwk } = await h.running.gateway.signingKeys.current();
  const sealed = { private_jwe: 'of another secret key', retired_at_ms: null };
  const row = { kid: 'other', public_jwk: JSON.stringify(publicJwk), ...sealed };
  await insert(h, 'signing_keys', { ...row, created_at_ms: Date.now(), signs_from_ms: 1 });
  await until(async () => {
    await mintAt(h.url, h.demo.oauthClient);
    return lines.length > 0;
  });
  expect(lines).toMatchObject([{ level: 50, kid: 'other' }]);
  expect((await mintAt(h.url, h.demo.oauthClient)).kid).toBe(kid);
  expect(lines).toHaveLength(1);

  // What is retired signs no more, whatever else there is.
  const other = await past(h.folder);
  await other.all('update signing_keys set retired_at_ms = 1 where kid = ?', kid);
  const token = () =>
    h.rest('POST', '/oauth/token', undefined, {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: h.demo.oauthClient.clientId,
        client_secret: h.demo.oauthClient.clientSecret,
      }).toString(),
    });
  await until(async () => (await token()).status === 503);
  await other.all("update signing_keys set retired_at_ms = 1 where kid = 'other'");
  expect(await token()).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
});

test('until when tokens need a key, however much else expires later', async () => {
  const h = await openGateway();
  const nowMs = Date.now();
  const key = await h.running.gateway.signingKeys.current();
  await h.running.gateway.writes.run(async (tx) => {
    const all = tx.updateTable('signing_keys').set({ created_at_ms: 1_000_000 });
    await all.where('kid', '=', key.kid).execute();
    // What the demo has issued is no matter here.
    const issued = tx.updateTable('revocables').set({ issued_at_ms: 1 });
    await issued.where('kind', '=', 'access-token').execute();
  });
  // One that was called off before its time never signed.
  await insert(h, 'signing_keys', {
    ...{ kid: 'called-off', public_jwk: '{}', private_jwe: '', created_at_ms: 1_000_000 },
    ...{ signs_from_ms: 1_500_000, retired_at_ms: 1_400_000 },
  });
  const organization = await organizationRow(h, 'acme');
  const token = (issued_at_ms: number, expires_at_ms: number, more: object = {}) =>
    add(h, organization, 'access-token', { issued_at_ms, expires_at_ms, ...more });
  const day = 86_400_000;
  await token(2_000_000, nowMs + day);
  await token(2_000_000, nowMs + 3 * day, { revoked_at_ms: 3_000_000 });
  const globex = await organizationRow(h, 'globex');
  await add(h, globex, 'access-token', {
    ...{ issued_at_ms: 2_000_001, expires_at_ms: nowMs + 2 * day },
  });
  const other = await past(h.folder);
  // More than are read at once, many of them at the same moment.
  await other.all(
    `insert into revocables (id, organization_id, parent_id, kind, issued_at_ms, expires_at_ms)
     with recursive n(i) as (select 1 union all select i + 1 from n where i < 2500)
     select 'key-' || slug || i, id, id, 'api-key', 2000000, ${nowMs} + 9 * ${day} + i / 1500
     from n, revocables where parent_id is null and slug in ('acme', 'globex')`,
  );
  const next = await rotateIn(h, 60_000);
  await token(nowMs + 120_000, nowMs + 5 * day);
  const said = Object.fromEntries(
    (await listKeys(h.running.gateway.reader, nowMs + 180_000)).map((each) => [
      each.kid,
      [each.state, each.tokensUntilMs],
    ]),
  );
  expect(said).toEqual({
    [key.kid]: ['verifying', nowMs + 2 * day],
    [next.kid]: ['signing', nowMs + 5 * day],
    'called-off': ['retired', undefined],
  });
});
