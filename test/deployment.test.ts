import { describe, expect, test } from 'vitest';
import { addressOf, callerWith, deliveries, openWith, surfaces, verified } from './environments.ts';
import type { Harness } from './harness.ts';
import { type Loopback, listen } from './loopback.ts';

/** What the environments of a project are told when a JWK is unassigned, and when not. */

const acknowledging = () => listen((response) => response.writeHead(204).end());

async function openWithTwo(): Promise<{ h: Harness; production: Loopback; staging: Loopback }> {
  const [production, staging] = [await acknowledging(), await acknowledging()];
  const h = await openWith({ production: production.url, staging: staging.url });
  return { h, production, staging };
}

const publicJwk = async (h: Harness, jwkName: string): Promise<unknown> => {
  const { public_jwk } = await h.running.database.reader
    .selectFrom('jwks')
    .innerJoin('revocables', 'revocables.id', 'jwks.id')
    .select('public_jwk')
    .where('slug', '=', jwkName)
    .executeTakeFirstOrThrow();
  return JSON.parse(public_jwk);
};

const both = {
  success: true,
  message: 'Deployment completed successfully',
  environmentResults: [
    { environmentName: 'production', success: true, message: 'Deployed successfully' },
    { environmentName: 'staging', success: true, message: 'Deployed successfully' },
  ],
};

describe.each(surfaces)('unassigning through %s', (_name, unassign, words) => {
  test('tells every environment of the project once, signed with its own secret', async () => {
    const { h, production, staging } = await openWithTwo();
    const address = addressOf(h);
    const answer = await unassign(h, address, h.demo.callers.admin);
    expect(answer).toMatchObject({ code: 'done', deployment: both });

    for (const [environment, receiver] of Object.entries({ production, staging })) {
      expect(receiver.received).toHaveLength(1);
      const [request] = receiver.received;
      if (request === undefined) throw new Error('nothing received');
      expect(request).toMatchObject({ method: 'POST', url: '/' });
      expect(request.headers).toMatchObject({
        'content-type': 'application/json',
        'webhook-id': answer.revocationId,
      });
      const state = await verified(h, address, environment, request);
      expect(state).toEqual({
        type: 'credential.updated',
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        data: {
          seq: 1,
          revocationId: answer.revocationId,
          environment,
          project: address.projectName,
          username: address.username,
          validationJwk: null,
          encryptionJwk: await publicJwk(h, address.jwkName),
        },
      });
      const other = environment === 'production' ? 'staging' : 'production';
      await expect(verified(h, address, other, request)).rejects.toThrow('No matching signature');
      const altered = { ...request, body: request.body.replace('null', '{}') };
      await expect(verified(h, address, environment, altered)).rejects.toThrow();
    }
  });

  test('records each delivery with its entry, and that it was acknowledged', async () => {
    const { h } = await openWithTwo();
    const before = Date.now();
    const { revocationId } = await unassign(h, addressOf(h), h.demo.callers.admin);
    const after = Date.now();

    const [entry, ...others] = await h.ledger();
    expect([entry?.id, others]).toEqual([revocationId, []]);
    const rows = await deliveries(h);
    expect(Object.keys(rows).toSorted()).toEqual(['production', 'staging']);
    for (const row of Object.values(rows)) {
      expect(row).toMatchObject({ seq: entry?.seq, attempts: 1, last_error: null });
      const times = [before, row.notified_at_ms, row.acknowledged_at_ms, after];
      expect(times).toEqual(times.toSorted((a, b) => Number(a) - Number(b)));
      expect(times).not.toContain(null);
    }
  });

  test('has all environments told at the same time', async () => {
    let arrived = 0;
    let open = () => {};
    const allArrived = new Promise<void>((resolve) => {
      open = resolve;
    });
    const waiting = () =>
      listen(async (response) => {
        if (++arrived === 3) open();
        await allArrived;
        response.end();
      });
    const [one, two, three] = [await waiting(), await waiting(), await waiting()];
    const h = await openWith({ one: one.url, two: two.url, three: three.url });
    const { deployment } = await unassign(h, addressOf(h), h.demo.callers.admin);
    expect(deployment).toMatchObject({ success: true });
    expect(deployment?.environmentResults).toHaveLength(3);
  });

  test('20 at once tell each environment once', async () => {
    const { h, production, staging } = await openWithTwo();
    const ask = () => unassign(h, addressOf(h), h.demo.callers.admin);
    const answers = await Promise.all(Array.from({ length: 20 }, ask));
    const codes = answers.map(({ code }) => code).toSorted();
    expect(codes).toEqual([...Array(19).fill(words.repeated), 'done'].toSorted());
    expect([production.received.length, staging.received.length]).toEqual([1, 1]);
  });

  test('tells an environment that was removed nothing', async () => {
    const { h, production, staging } = await openWithTwo();
    await h.running.gateway.writes.run(async (tx) => {
      await tx
        .updateTable('targets')
        .set({ removed_at_ms: Date.now() })
        .where('name', '=', 'staging')
        .execute();
    });
    const { deployment } = await unassign(h, addressOf(h), h.demo.callers.admin);
    expect(deployment?.environmentResults.map((result) => result.environmentName)).toEqual([
      'production',
    ]);
    expect([production.received.length, staging.received.length]).toEqual([1, 0]);
    expect(Object.keys(await deliveries(h))).toEqual(['production']);
  });

  test('in a project without environments is done, with nobody to tell', async () => {
    const h = await openWith({});
    const { code, deployment } = await unassign(h, addressOf(h), h.demo.callers.admin);
    expect([code, deployment]).toEqual(['done', { ...both, environmentResults: [] }]);
    expect(await deliveries(h)).toEqual({});
  });

  const [manage, deploy] = ['IDENTITY+MANAGE', 'IDENTITY+DEPLOY_UNDEPLOY'];

  test.each<[string, string[]]>([
    ['only to manage', [manage]],
    ['only to deploy', [deploy]],
    ['both in another project', [`${manage}@project-002`, `${deploy}@project-002`]],
    ['to manage here and to deploy elsewhere', [`${manage}@project-001`, `${deploy}@project-002`]],
    ['to deploy here and to manage elsewhere', [`${manage}@project-002`, `${deploy}@project-001`]],
    ['everything, in another project', ['organization:admin@project-002']],
    ['all that other kinds need', ['token:revoke', 'api-key:revoke', 'jwt-auth:revoke']],
  ])('is denied to a caller who may %s: nothing changes, nobody is told', async (_may, held) => {
    const { h, production, staging } = await openWithTwo();
    const token = await callerWith(h, held);
    const before = await h.rows();
    expect(await unassign(h, addressOf(h), token)).toEqual({ code: words.denied });

    expect(await h.rows()).toEqual(before);
    expect((await h.ledger()).at(-1)).toMatchObject({
      action: 'revoke',
      outcome: 'refused',
      refusal: 'PERMISSION_DENIED',
    });
    expect(await deliveries(h)).toEqual({});
    expect([...production.received, ...staging.received]).toEqual([]);
  });

  test.each<[string, string[]]>([
    ['both', [manage, deploy]],
    ['both in this project', [`${manage}@project-001`, `${deploy}@project-001`]],
    ['one everywhere and one here', [manage, `${deploy}@project-001`]],
    ['everything in this project', ['organization:admin@project-001']],
  ])('is open to a caller who may do %s', async (_may, held) => {
    const { h } = await openWithTwo();
    const token = await callerWith(h, held);
    expect(await unassign(h, addressOf(h), token)).toMatchObject({
      code: 'done',
      deployment: both,
    });
  });

  test.each<[string, (h: Harness) => string, keyof typeof words]>([
    ["to another organization's admin", (h) => h.demo.callers.outsider, 'missing'],
    ['to a caller who may only read', (h) => h.demo.callers.viewer, 'denied'],
  ])('is closed %s: nobody is told', async (_to, tokenOf, word) => {
    const { h, production, staging } = await openWithTwo();
    expect(await unassign(h, addressOf(h), tokenOf(h))).toEqual({ code: words[word] });
    expect([...production.received, ...staging.received]).toEqual([]);
    expect(await deliveries(h)).toEqual({});
  });
});
