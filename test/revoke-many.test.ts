import { describe, expect, test } from 'vitest';
import type { LedgerEntry } from '../db/tables.ts';
import type { AnyCredential } from '../src/credentials/kinds.ts';
import { kindValue } from '../src/graphql/types.ts';
import { create } from './assigned.ts';
import { tokenWith } from './callers.ts';
import { type Harness, openGateway } from './harness.ts';
import { trusting } from './issuers.ts';
import { makeTarget, mutationOf, type Target, unknownInput, withSixth } from './kinds.ts';
import { codes, owed, revokeMany } from './many.ts';

/** Many of each kind at once, a sixth one included: each id gets what its own mutation would answer. */

const { outboundAllow } = trusting({ jwksUrl: 'https://issuer.example/jwks' });
const open = () => openGateway({ credentials: withSixth, config: { outboundAllow } });

const addressOf = ({ input }: Pick<Target, 'input'>) => Object.values(input).join('/');
const nobodys = '0190dead-0000-7000-8000-00000000dead';

/** What the ledger has of an entry that all ways to revoke share. */
const told = ({ action, kind, target_id, outcome, refusal, reason, comment, actor }: LedgerEntry) =>
  ({ action, kind, target_id, outcome, refusal, reason, comment, actor }) as const;

describe.each(withSixth.map((credential) => [credential.graph.kind, credential] as const))(
  '%s',
  (kind, credential) => {
    const value = kindValue(kind);

    test('each id gets its own answer, and each has an entry', async () => {
      const h = await open();
      const [first, second] = [
        await makeTarget(h, kind, 'acme'),
        await makeTarget(h, kind, 'acme'),
      ];
      const foreign = await makeTarget(h, kind, 'globex');
      const unknown = addressOf({ input: unknownInput(first.input) });
      const ids = [
        ...[first.rowId, addressOf(second), first.rowId.toUpperCase()],
        ...[foreign.rowId, addressOf(foreign), nobodys, unknown],
      ];
      const given = { kind: value, ids, reason: 'KEY_COMPROMISE', comment: 'leaked' };
      const result = await revokeMany(h, given);

      expect(codes(result)).toEqual([
        ...['DONE', 'DONE', 'ALREADY_REVOKED'],
        ...['NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND'],
      ]);
      expect([result.revoked, result.refused]).toEqual([2, 5]);
      expect(result.results.map(({ id }) => id)).toEqual(ids);
      const missing = result.results.slice(3).map(({ error }) => error);
      expect(new Set(missing.map((error) => JSON.stringify(error))).size).toBe(1);

      const entries = await h.ledger();
      expect(entries.map(({ seq }) => seq)).toEqual(ids.map((_, i) => i + 1));
      expect(new Set(entries.map(({ request_id }) => request_id)).size).toBe(1);
      expect(entries.slice(0, 3).map(({ target }) => target)).toEqual(ids.slice(0, 3));
      for (const { target } of entries.slice(3)) expect(target).toMatch(/^fingerprint:[\w-]{22}$/);
      for (const [i, { rowId }] of [first, second].entries()) {
        const entry = entries[i];
        expect(await h.row(rowId)).toMatchObject({
          ...{ revoked_at_ms: entry?.at_ms, revocation_id: entry?.id },
          ...{ revoked_by: 'admin', reason: 'KEY_COMPROMISE' },
        });
        expect(result.results[i]?.revocation).toEqual({
          ...{ id: entry?.id, kind: value, target: ids[i], actor: 'admin' },
          ...{ reason: 'KEY_COMPROMISE', comment: 'leaked' },
          revokedAt: new Date(entry?.at_ms ?? 0).toISOString(),
        });
      }
      expect(result.results[2]?.error?.revokedAt).toBe(result.results[0]?.revocation?.revokedAt);
      expect((await h.row(foreign.rowId)).revoked_at_ms).toBeNull();
    });

    test('what a caller may not do is refused for each, and what is not there first', async () => {
      const h = await open();
      const target = await makeTarget(h, kind, 'acme');
      const before = await h.rows();
      const ids = [target.rowId, nobodys, addressOf(target)];
      const { viewer } = h.demo.callers;
      const result = await revokeMany(h, { kind: value, ids }, viewer);
      expect(codes(result)).toEqual(['PERMISSION_DENIED', 'NOT_FOUND', 'PERMISSION_DENIED']);
      for (const i of [0, 2]) {
        expect(result.results[i]?.error?.missingPermissions).toEqual(credential.graph.permissions);
      }
      expect(await h.rows()).toEqual(before);
      expect((await h.ledger()).map(({ refusal }) => refusal)).toEqual(codes(result));
    });

    test('a right in one project counts there, however the id is written', async () => {
      const h = await open();
      const [own, other] = [await makeTarget(h, kind, 'acme'), await makeTarget(h, kind, 'acme')];
      const second = await siblingOf(h, credential, own);
      const { projectName } = own.input;
      const limited = credential.graph.permissions.map((each) => `${each}@${projectName ?? 'x'}`);
      const ids = [
        own.rowId,
        ...(second ? [addressOf(second)] : []),
        other.rowId,
        addressOf(other),
      ];
      const result = await revokeMany(h, { kind: value, ids }, await tokenWith(h, limited));
      const mine = projectName === undefined ? 'PERMISSION_DENIED' : 'DONE';
      expect(codes(result)).toEqual([
        ...[mine, ...(second ? [mine] : [])],
        ...['PERMISSION_DENIED', 'PERMISSION_DENIED'],
      ]);
    });

    test('the entry is that of its own mutation, and as many are owed it', async () => {
      const h = await open();
      await create(h, 'createWebhook', { name: 'hook', url: 'http://127.0.0.1:9/' });
      await create(h, 'createEnforcementPoint', { name: 'point' });
      const entries: LedgerEntry[] = [];
      const owing: string[][] = [];
      for (const way of ['own', 'row', 'address']) {
        const target = await makeTarget(h, kind, 'acme');
        const { projectName } = target.input;
        if (projectName !== undefined) {
          const url = 'http://127.0.0.1:9/';
          await create(h, 'createEnvironment', { projectName, name: 'live', url });
        }
        if (way === 'own') {
          const variables = { input: target.input };
          await h.graphql(mutationOf(credential), variables, h.demo.callers.admin);
        } else {
          const ids = [way === 'row' ? target.rowId : addressOf(target)];
          expect(codes(await revokeMany(h, { kind: value, ids }))).toEqual(['DONE']);
        }
        const entry = (await h.ledger()).findLast(({ target_id }) => target_id === target.rowId);
        if (entry === undefined) throw new Error(`${way}: nothing is recorded`);
        entries.push({ ...entry, target_id: 'the row' });
        owing.push(await owed(h, entry.id));
      }
      expect(owing[0]).toEqual(expect.arrayContaining(['hook', 'point']));
      expect(owing.slice(1)).toEqual([owing[0], owing[0]]);
      expect(entries.slice(1).map(told)).toEqual(entries.slice(1).map(() => told(first(entries))));
    });
  },
);

/** Another one in the same project, where the kind has such. */
async function siblingOf(
  h: Harness,
  { graph: { kind } }: AnyCredential,
  { input: { projectName } }: Target,
): Promise<Target | undefined> {
  if (projectName === undefined || kind === 'jwk') return undefined;
  const [username, jwkName] = ['second-user', 'second-jwk'];
  await create(h, 'createGatewayCredential', { projectName, username });
  const input = { projectName, username };
  if (kind === 'gateway-credential') return { input, rowId: '' };
  await create(h, 'createJwk', { projectName, jwkName, generate: 'EdDSA' });
  const mutation = kind === 'jwk-validation' ? 'assignJwkValidation' : 'assignJwkEncryption';
  await create(h, mutation, { ...input, jwkName });
  return { input, rowId: '' };
}

function first<T>([one]: readonly T[]): T {
  if (one === undefined) throw new Error('There is none');
  return one;
}
