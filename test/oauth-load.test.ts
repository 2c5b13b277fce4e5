import { Pool } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { basic, type Served, serveGateway } from './oauth-clients.ts';

/** Many connections at once: what is revoked is never active again, what is not is never refused. */

const CONNECTIONS = 32;
const KEYS = 100;
const REVOKED = 50;

/** A pool of connections through which the demo's client asks. */
function connect(h: Served, connections: number) {
  const pool = new Pool(h.url, { connections });
  onTestFinished(() => pool.destroy());
  const headers = {
    ...basic(h.demo.oauthClient),
    'content-type': 'application/x-www-form-urlencoded',
  };
  return async (endpoint: string, token: string): Promise<string> => {
    const { statusCode, body } = await pool.request({
      method: 'POST',
      path: `/oauth/${endpoint}`,
      headers,
      body: new URLSearchParams({ token }).toString(),
    });
    const text = await body.text();
    return statusCode === 200 ? text : `${statusCode} ${text}`;
  };
}

test(`${CONNECTIONS} connections ask about ${KEYS} keys while ${REVOKED} of them are revoked`, async () => {
  const h = await serveGateway({ count: KEYS });
  const keys = h.demo.apiKey.map(({ key }) => key);
  expect(keys).toHaveLength(KEYS);
  const doomed = new Set(keys.slice(0, REVOKED));
  const [ask, revoke] = [connect(h, CONNECTIONS), connect(h, 1)];

  /** Those whose revocation has been answered. */
  const revoked = new Set<string>();
  const wrong: string[] = [];
  let [asked, after] = [0, 0];
  const look = async (key: string) => {
    const was = revoked.has(key);
    const text = await ask('introspect', key);
    asked += 1;
    if (was) after += 1;
    const inactive = text === '{"active":false}';
    if (!inactive && !text.startsWith('{"active":true,')) wrong.push(`is no answer: ${text}`);
    if (was && !inactive) wrong.push(`active after its revocation: ${text}`);
    if (inactive && !doomed.has(key)) wrong.push('refused without a revocation');
  };
  const worker = async (offset: number) => {
    const turn = [...keys.slice(offset), ...keys.slice(0, offset)];
    while (revoked.size < REVOKED) for (const key of turn) await look(key);
    for (const key of turn) await look(key);
  };
  const revoker = async () => {
    for (const key of doomed) {
      expect(await revoke('revoke', key)).toBe('{}');
      revoked.add(key);
    }
  };
  const workers = Array.from({ length: CONNECTIONS }, (_, i) => worker((i * 3) % KEYS));
  await Promise.all([revoker(), ...workers]);

  expect(wrong).toEqual([]);
  expect(asked).toBeGreaterThanOrEqual(2 * CONNECTIONS * KEYS);
  expect(after).toBeGreaterThanOrEqual(CONNECTIONS * REVOKED);
  const done = (await h.ledger()).filter(({ outcome }) => outcome === 'done');
  expect(done).toHaveLength(REVOKED);
}, 120_000);
