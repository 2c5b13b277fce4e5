import { describe, expect, test } from 'vitest';
import type { LedgerEntry } from '../db/tables.ts';
import { assign, create, makeCredential, names, signAs, standingFor } from './assigned.ts';
import { ask } from './creation.ts';
import { creationOf } from './creations.ts';
import { deliveries } from './environments.ts';
import type { Harness } from './harness.ts';
import { stored } from './stored.ts';
import {
  type Environment,
  lastEntry,
  openWithCredential,
  publicOf,
  second,
  tell,
  told,
} from './told.ts';

/** Assigning JWKs to gateway credentials, and what the environments of the project are told of it. */

const { projectName, username, jwkName } = names;
const credential = { projectName, username };

test('each change tells every environment what counts from then on', async () => {
  const { h, environments, keys } = await openWithCredential(204, 200);
  const [one, two] = [publicOf(keys.first), publicOf(keys.second)];
  const changes: [string, object, validation: unknown, encryption: unknown][] = [
    ['assignJwkValidation', names, one, null],
    ['assignJwkEncryption', second, one, two],
    ['assignJwkValidation', second, two, two],
    ['unassignJwkEncryption', credential, two, null],
    ['assignJwkEncryption', names, two, one],
    ['revokeJwk', { projectName, jwkName: 'second' }, null, one],
    ['assignJwkValidation', names, one, one],
    ['unassignJwkValidation', credential, null, one],
    ['revokeGatewayCredential', credential, null, null],
  ];
  for (const [i, [mutation, input, validationJwk, encryptionJwk]] of changes.entries()) {
    const deployment = await tell(h, mutation, input);
    expect(deployment).toMatchObject({ success: true, environmentResults: [{}, {}] });
    const { id, seq, action } = await lastEntry(h);
    for (const environment of environments) {
      const messages = told(environment);
      expect(messages).toHaveLength(i + 1);
      const message = messages[i];
      expect(message).toEqual({
        ...{ id: expect.stringContaining(id), seq, validationJwk, encryptionJwk },
        revocationId: action === 'revoke' ? id : null,
        ...{ environment: environment.name, project: projectName, username },
      });
      expect(JSON.stringify(message)).not.toContain(keys.first.d);
    }
    for (const row of Object.values(await deliveries(h, seq))) {
      expect(row).toMatchObject({ seq, attempts: 1, last_error: null });
      expect(row.acknowledged_at_ms).not.toBeNull();
    }
  }
});

describe('revoking a JWK', () => {
  test('tells of each credential that has it, once, and of no other', async () => {
    const { h, environments } = await openWithCredential(204);
    const users = ['both', 'encrypts', 'had-it', 'has-another', 'validates'];
    for (const name of users) {
      await create(h, 'createGatewayCredential', { projectName, username: name });
    }
    const give = (user: string, use: 'Validation' | 'Encryption', which = jwkName) =>
      assign(h, { projectName, username: user, jwkName: which }, use);
    await give('both', 'Validation');
    await give('both', 'Encryption');
    await give('encrypts', 'Encryption');
    await give('had-it', 'Validation');
    await give('had-it', 'Validation', 'second');
    await give('has-another', 'Encryption', 'second');
    await give('validates', 'Validation');
    const before = told(environments[0] as Environment).length;
    await tell(h, 'revokeJwk', { projectName, jwkName });

    const { id, seq } = await lastEntry(h);
    const messages = told(environments[0] as Environment).slice(before);
    expect(messages.map((each) => each.username).toSorted()).toEqual([
      'both',
      'encrypts',
      'validates',
    ]);
    for (const message of messages) {
      const row = (await h.rows()).find(({ slug }) => slug === message.username);
      expect(message).toMatchObject({
        ...{ id: `${id}.${row?.id}`, seq, revocationId: id },
        ...{ validationJwk: null, encryptionJwk: null },
      });
    }
  });

  test('that nobody has tells nobody, and is done', async () => {
    const { h, environments } = await openWithCredential(204);
    expect(await tell(h, 'revokeJwk', { projectName, jwkName })).toMatchObject({ success: true });
    expect(told(environments[0] as Environment)).toEqual([]);
  });
});

test('what an environment refuses is said, and done all the same', async () => {
  const { h, environments, keys } = await openWithCredential(500, 204);
  const deployment = await tell(h, 'assignJwkValidation', names);
  expect(deployment).toEqual({
    success: false,
    message: 'Deployment failed in 1 of 2 environments',
    environmentResults: [
      { environmentName: 'environment-0', success: false, message: 'Answered 500' },
      { environmentName: 'environment-1', success: true, message: 'Deployed successfully' },
    ],
  });
  expect(told(environments[1] as Environment)).toMatchObject([
    { validationJwk: publicOf(keys.first) },
  ]);
  const rows = (await h.rows()).filter(({ kind }) => kind === 'jwk-validation');
  expect(rows).toMatchObject([{ name: jwkName, revoked_at_ms: null }]);
});

describe.each(['Validation', 'Encryption'] as const)('assigning a JWK for %s', (use) => {
  const kind = `jwk-${use.toLowerCase()}`;

  test('supersedes the one before: both rows and the entry say so', async () => {
    const { h } = await openWithCredential();
    const first = await assign(h, names, use);
    const next = await assign(h, second, use);
    const { at_ms, action, target_id } = await lastEntry(h);
    const revocation = (await h.ledger()).at(-2);
    expect(revocation).toMatchObject({ action: 'revoke', kind, reason: 'SUPERSEDED' });
    expect([action, target_id]).toEqual(['create', next.shown.id]);
    expect(await h.row(next.shown.id)).toMatchObject({ name: 'second', revoked_at_ms: null });
    expect(await h.row(first.shown.id)).toMatchObject({
      ...{ kind, revoked_at_ms: at_ms, revoked_by: 'admin' },
      ...{ reason: 'SUPERSEDED', revocation_id: revocation?.id },
    });

    const unassigned = await tell(h, `unassignJwk${use}`, credential);
    expect(unassigned.success).toBe(true);
    expect(await h.row(next.shown.id)).toMatchObject({ reason: 'UNSPECIFIED' });
    const third = await assign(h, names, use);
    expect((await h.row(third.shown.id)).revoked_at_ms).toBeNull();
  });

  test.each<[string, (h: Harness) => Promise<object>, string]>([
    ['unknown', async () => ({ jwkName: 'nobody' }), 'No such JWK'],
    [
      'revoked',
      async (h) => {
        await tell(h, 'revokeJwk', { projectName, jwkName });
        return {};
      },
      'No such JWK',
    ],
    [
      'of another project',
      async (h) => {
        const other = { projectName: 'other', username };
        await makeCredential(h, other);
        return other;
      },
      'No such JWK',
    ],
    ['for nobody', async () => ({ username: 'nobody' }), 'No such gateway credential'],
  ])('that is %s is refused: nothing changes, nobody is told', async (_what, arrange, words) => {
    const { h, environments } = await openWithCredential(204);
    const changed = await arrange(h);
    const [before, entries] = [await stored(h), await h.ledger()];
    const creation = creationOf(`assignJwk${use}`);
    const result = await ask(h, creation, { ...names, ...changed });
    expect(result).toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining(words) });
    expect(await stored(h)).toEqual(before);
    const [entry, ...others] = (await h.ledger()).slice(entries.length);
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ outcome: 'refused', refusal: 'NOT_FOUND', kind });
    expect(told(environments[0] as Environment)).toEqual([]);
  });

  test('50 at once: one is live, and the environment is told it last', async () => {
    const { h, environments, keys } = await openWithCredential(204);
    const asked = Array.from({ length: 50 }, (_, i) => assign(h, i % 2 ? names : second, use));
    await Promise.all(asked);
    const rows = (await h.rows()).filter((row) => row.kind === kind);
    const live = rows.filter((row) => row.revoked_at_ms === null);
    expect([rows.length, live.length]).toEqual([50, 1]);
    const newest = told(environments[0] as Environment)
      .toSorted((a, b) => a.seq - b.seq)
      .at(-1);
    const key = live[0]?.name === jwkName ? keys.first : keys.second;
    expect(newest).toMatchObject({ [`${use.toLowerCase()}Jwk`]: publicOf(key) });
  });
});

const ends: [mutation: string, input: object, refusal: string][] = [
  ['revokeGatewayCredential', credential, 'OWNER_REVOKED'],
  ['revokeJwk', { projectName, jwkName }, 'NOT_FOUND'],
];

test.each(ends)('%s while it is assigned 50 times: it counts no more', async (...end) => {
  const [mutation, input, refusal] = end;
  const { h, environments, keys } = await openWithCredential(204);
  const token = await signAs(keys.first);
  const asks = () =>
    Array.from({ length: 25 }, (_, i) => {
      const creation = creationOf(`assignJwk${i % 2 ? 'Validation' : 'Encryption'}`);
      return ask(h, creation, names);
    });
  const first = asks();
  await Promise.race(first);
  const revoked = tell(h, mutation, input);
  const answers = await Promise.all([...first, ...asks()]);
  await revoked;

  const codes = new Set(answers.map(({ code = 'DONE' }) => code));
  expect(codes).toEqual(new Set(['DONE', refusal]));
  const entries = await h.ledger();
  const asked = ({ action, reason }: LedgerEntry) => action === 'revoke' && reason !== 'SUPERSEDED';
  const at = entries.find(asked)?.seq ?? 0;
  const after = entries.filter(({ seq }) => seq > at);
  expect(new Set(after.map((entry) => entry.refusal))).toEqual(new Set([refusal]));
  expect(await standingFor(h, token)).not.toBe('good');
  const newest = told(environments[0] as Environment)
    .toSorted((a, b) => a.seq - b.seq)
    .at(-1);
  expect(newest).toMatchObject({ seq: at, validationJwk: null, encryptionJwk: null });
});

test('a secret that is pasted as a username is not in the ledger, whoever pastes it', async () => {
  const { h } = await openWithCredential();
  const username = 'rgw_key_pasted-as-a-username';
  const viewer = h.demo.callers.viewer;
  for (const token of [viewer, h.demo.callers.admin]) {
    for (const use of ['Validation', 'Encryption']) {
      await ask(h, creationOf(`assignJwk${use}`), { ...names, username }, token);
    }
    const path = `/apiops/projects/${projectName}/credentials/${username}/jwk/validation/`;
    for (const [method, url] of [
      ['PUT', `${path}x/`],
      ['DELETE', path],
    ] as const) {
      expect((await h.rest(method, url, token)).status).toBe(token === viewer ? 403 : 400);
    }
  }
  const targets = (await h.ledger()).slice(-8).map(({ target }) => target);
  for (const target of targets) expect(target).toMatch(/^fingerprint:/);
});
