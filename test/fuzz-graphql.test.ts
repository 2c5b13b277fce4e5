import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { credentials } from '../src/credentials/kinds.ts';
import { schemaOf } from '../src/graphql/schema.ts';
import { creations } from './creations.ts';
import { alike, expectSound, hold, RUNS, timeoutFor } from './fuzzing.ts';
import { type Asked, fieldsWithArguments, objectsFor } from './graphql-shapes.ts';
import type { Answer, Harness } from './harness.ts';
import * as hostile from './hostile.ts';
import { makeTarget } from './kinds.ts';
import { describeAll } from './openapi.ts';
import { send } from './rest-requests.ts';
import { makeTenant, openAmongStrangers } from './strangers.ts';

/** Whatever GraphQL is asked with: no fault, and no word of the inside or of others. */

const document = describeAll();
const fields = fieldsWithArguments(schemaOf(credentials));

test('every mutation is asked, and every list', () => {
  const names = fields.map(({ name }) => name);
  for (const { mutation } of creations) expect(names).toContain(`Mutation.${mutation}`);
  for (const { graph } of credentials) expect(names).toContain(`Mutation.${graph.mutation}`);
  for (const name of ['Mutation.revokeMany', 'Me.node', 'Me.ledger', 'Application.apiKeys']) {
    expect(names).toContain(name);
  }
  expect(names).toContain('Subscription.revocations');
  expect(names.length).toBeGreaterThan(65);
});

/** Who asks for a field, and a variable that means something to them. */
interface Caller {
  readonly authorization: string;
  readonly known: Record<string, unknown>;
}

/** Makes an organization of its own for a field, with what the field works on. */
async function callerFor(h: Harness, { name }: Asked, i: number): Promise<Caller> {
  const slug = `own-${i}`;
  const authorization = `Bearer ${await makeTenant(h, slug)}`;
  const mutation = name.replace('Mutation.', '');
  const creation = creations.find((one) => one.mutation === mutation);
  if (creation !== undefined) {
    const { input } = await creation.arrange(h, slug);
    return { authorization, known: { input } };
  }
  const kind = credentials.find(({ graph }) => graph.mutation === mutation)?.graph.kind;
  const { input } = await makeTarget(h, kind ?? 'api-key', slug);
  return { authorization, known: { input, id: input.keyId } };
}

const variablesOf = ({ variables }: Asked, texts: fc.Arbitrary<string>, known: object) =>
  objectsFor(Object.fromEntries(variables.map((one) => [one.name, one])), texts, known);

const post = (h: Harness, payload: string, headers: Record<string, string | string[]>) =>
  send(h, { method: 'POST', url: '/graphql', payload, headers });

const asJson = { 'content-type': 'application/json' };

const headersOf = ({ authorization }: Caller, { name }: Asked) => ({
  ...{ ...asJson, authorization },
  ...(name.startsWith('Subscription') && { accept: 'text/event-stream' }),
});

/** A fault may be in a place where the rest of the answer is good. */
function expectNoFault({ headers, body }: Answer): void {
  // GraphiQL has its own words.
  if (headers['content-type']?.startsWith('text/html')) return;
  expect(body).not.toMatch(/INTERNAL_SERVER_ERROR|UNAVAILABLE|unexpected error/i);
}

test(
  'every field takes whatever is sent',
  async () => {
    const { h, strangers, log } = await openAmongStrangers();
    const before = await strangers.rows();
    const baits = strangers.baits.map(({ theirs }) => theirs);
    const texts = fc.oneof(
      { weight: 4, arbitrary: hostile.text },
      { weight: 1, arbitrary: fc.constantFrom(...baits) },
    );
    const done = new Set<string>();
    for (const [i, field] of fields.entries()) {
      const caller = await callerFor(h, field, i);
      const asked = fc.oneof(
        { weight: 9, arbitrary: variablesOf(field, texts, caller.known) },
        { weight: 1, arbitrary: fc.dictionary(fc.constantFrom('input', 'id'), fc.jsonValue()) },
      );
      await hold(asked, async (variables) => {
        const sent = JSON.stringify({ query: field.document, variables });
        const answer = await post(h, sent, headersOf(caller, field));
        expectSound(answer, { sent, strangers, path: '/graphql', document });
        expectNoFault(answer);
        expect(answer.body).not.toContain('GRAPHQL_VALIDATION_FAILED');
        for (const [success] of answer.body.matchAll(/\w+Success(?=")/g)) done.add(success);
      });
    }
    // Not all is refused before it is looked at.
    expect(done.size).toBeGreaterThan(25);
    expect(await strangers.rows()).toEqual(before);
    expect(log()).toEqual([]);
    expect((await h.rest('GET', '/health/ready')).status).toBe(200);
  },
  timeoutFor(fields.length),
);

test(
  "in every field what is another organization's is answered like what does not exist",
  async () => {
    const { h, strangers, log } = await openAmongStrangers();
    const before = await strangers.rows();
    const pairs = strangers.baits.map(({ theirs, nobodys }) => [theirs, nobodys] as const);
    const texts = fc.constantFrom(...pairs.map(([theirs]) => theirs));
    for (const [i, field] of fields.entries()) {
      const caller = await callerFor(h, field, i);
      const ask = (variables: string) =>
        post(
          h,
          `{"query":${JSON.stringify(field.document)},"variables":${variables}}`,
          headersOf(caller, field),
        );
      await hold(variablesOf(field, texts, caller.known), async (variables) => {
        const said = JSON.stringify(variables);
        const turned = pairs.reduce(
          (so, [theirs, nobodys]) => so.replaceAll(theirs, nobodys),
          said,
        );
        const both = async () => [alike(await ask(said), pairs), alike(await ask(turned), pairs)];
        let [theirs, nobodys] = await both();
        // What was done by the first of the two cannot be done again, whoever's the other is.
        if (!isDeepStrictEqual(theirs, nobodys)) [theirs, nobodys] = await both();
        expect({ said, ...theirs }).toEqual({ said, ...nobodys });
      });
    }
    expect(await strangers.rows()).toEqual(before);
    expect(log()).toEqual([]);
  },
  timeoutFor(3 * fields.length),
);

test(
  'a document may say anything, and come in any way',
  async () => {
    const { h, strangers, log } = await openAmongStrangers();
    const pieces = fields.flatMap((each) => each.document.split(/(?<=[^\w$])|(?=[^\w$])/));
    const token = fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...pieces) },
      { weight: 1, arbitrary: fc.constantFrom('{', '}', '...', '@skip(if:', '"""', '#', '&', '$') },
      { weight: 1, arbitrary: hostile.text },
    );
    const whole = fc.constantFrom(...fields.map((each) => each.document));
    const cut = fc
      .tuple(whole, fc.nat(200), fc.nat(200), token)
      .map(([text, from, to, put]) => text.slice(0, from) + put + text.slice(Math.max(from, to)));
    const query = fc.oneof(
      cut,
      whole,
      fc.array(token, { maxLength: 30 }).map((all) => all.join(' ')),
    );
    const request = fc.record(
      {
        query,
        operationName: fc.oneof(hostile.text, fc.jsonValue({ maxDepth: 1 })),
        variables: fc.oneof(fc.dictionary(hostile.text, fc.jsonValue()), fc.jsonValue()),
        extensions: fc.jsonValue(),
      },
      { requiredKeys: ['query'] },
    );
    const sent = fc.record({
      payload: fc.oneof(
        { weight: 5, arbitrary: request.map((said) => JSON.stringify(said)) },
        { weight: 1, arbitrary: hostile.body({ query: '{ me { name } }' }, false) },
      ),
      headers: hostile.headers,
      method: fc.constantFrom('POST', 'POST', 'POST', 'GET', 'QUERY'),
      search: fc.array(fc.tuple(fc.constantFrom('query', 'variables', 'x'), query), {
        maxLength: 2,
      }),
    });
    const authorization = `Bearer ${h.demo.callers.admin}`;
    await hold(
      sent,
      async ({ payload, headers, method, search }) => {
        const url = `/graphql?${new URLSearchParams(search)}`;
        const request = { method, url, payload, headers: { ...asJson, ...headers, authorization } };
        const answer = await send(h, request);
        const about = `${payload}${JSON.stringify([search, headers])}`;
        expectSound(answer, { sent: about, strangers, path: '/graphql', document });
        expectNoFault(answer);
      },
      RUNS * 20,
    );
    expect(log()).toEqual([]);
    expect((await h.rest('GET', '/health/ready')).status).toBe(200);
  },
  timeoutFor(20),
);

test.each(['node', 'revocation'])('an id that no database can hold is no %s', async (field) => {
  const { h, log } = await openAmongStrangers();
  const query = `query ($id: ID!) { me { found: ${field}(id: $id) { id } } }`;
  for (const id of ['\0', '\ud800', 'x'.repeat(100_000)]) {
    const { data, errors } = await h.graphql(query, { id }, h.demo.callers.admin);
    expect([data, errors]).toEqual([{ me: { found: null } }, undefined]);
  }
  expect(log()).toEqual([]);
});
