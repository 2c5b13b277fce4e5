import { expect, test } from 'vitest';
import type { Demo } from '../db/demo.ts';
import { past } from './engine.ts';
import { gatewayJson, newFolder, type Served, serve, settingsIn } from './processes.ts';

/** Several gateways on one database: what one has revoked is refused by all, since rows decide. */

const COUNT = 60;
const GATEWAYS = 3;

/** A credential, how it is revoked, and when its revocation was answered. */
interface Subject {
  readonly secret: string;
  readonly method: string;
  readonly path: string;
  answeredAt?: number;
}

const subjectsOf = (demo: Demo): Subject[] => [
  ...demo.jwtAuth.map(({ identityId, accessToken }) => ({
    ...{ secret: accessToken, method: 'DELETE' },
    path: `/api/v1/auth/jwt-auth/identities/${identityId}`,
  })),
  ...demo.accessToken.map(({ tokenId, token }) => ({
    ...{ secret: token, method: 'POST' },
    path: `/api/v1/auth/token-auth/tokens/${tokenId}/revoke`,
  })),
  ...demo.apiKey.map(({ applicationId, keyId, key }) => ({
    ...{ secret: key, method: 'DELETE' },
    path: `/api/v1/applications/${applicationId}/api-keys/${keyId}`,
  })),
  ...demo.serviceAccountToken.map(({ serviceAccountSlug, tokenSlug, token }) => ({
    ...{ secret: token, method: 'DELETE' },
    path: `/service-accounts/${serviceAccountSlug}/tokens/${tokenSlug}`,
  })),
];

async function isActive(url: string, secret: string, admin: string): Promise<boolean> {
  const response = await fetch(`${url}/oauth/introspect`, {
    method: 'POST',
    headers: { authorization: `Bearer ${admin}` },
    body: new URLSearchParams({ token: secret }),
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { active: boolean }).active;
}

const anyOf = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T;

test(`not one acceptance on any of ${GATEWAYS} gateways once a revocation is answered`, async () => {
  const folder = newFolder();
  const settings = { ...settingsIn(folder), LOG_LEVEL: 'error' };
  const demo = await gatewayJson<Demo>(settings, 'demo', '--count', String(COUNT));
  const { admin } = demo.callers;
  const gateways: Served[] = await Promise.all(
    Array.from({ length: GATEWAYS }, () => serve(settings)),
  );
  const urls = gateways.map(({ url }) => url.replace('localhost', '127.0.0.1'));
  const subjects = subjectsOf(demo);
  const wrong: Subject[] = [];
  const seen = { accepted: 0, refused: 0 };

  async function use(subject: Subject): Promise<void> {
    const askedAt = performance.now();
    const active = await isActive(anyOf(urls), subject.secret, admin);
    seen[active ? 'accepted' : 'refused']++;
    if (active && subject.answeredAt !== undefined && subject.answeredAt <= askedAt) {
      wrong.push(subject);
    }
  }

  let revoking = true;
  const using = Array.from({ length: 12 }, async () => {
    while (revoking) await use(anyOf(subjects));
  });
  const waiting = subjects.toSorted(() => Math.random() - 0.5);
  await Promise.all(
    Array.from({ length: 6 }, async () => {
      for (let subject = waiting.pop(); subject !== undefined; subject = waiting.pop()) {
        const { method, path } = subject;
        const headers = { authorization: `Bearer ${admin}` };
        const { status } = await fetch(`${anyOf(urls)}${path}`, { method, headers });
        expect([200, 204]).toContain(status);
        subject.answeredAt = performance.now();
        // At once, on each of them.
        for (const url of urls) {
          if (await isActive(url, subject.secret, admin)) wrong.push(subject);
        }
      }
    }),
  );
  revoking = false;
  await Promise.all(using);
  expect(wrong).toEqual([]);
  expect(seen.accepted).toBeGreaterThan(COUNT / 2);
  expect(seen.refused).toBeGreaterThan(COUNT / 2);

  // One ledger, in which each revocation is once, whoever took it.
  const other = await past(folder);
  const entries = await other.all<{ seq: number; target_id: string }>(
    `select seq, target_id from ledger where action = 'revoke' and outcome = 'done' order by seq`,
  );
  expect(new Set(entries.map(({ target_id }) => target_id)).size).toBe(subjects.length);
  expect(entries).toHaveLength(subjects.length);
}, 120_000);
