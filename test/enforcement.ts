import { expect, onTestFinished } from 'vitest';
import { createVerifier, type Verifier } from '../src/verifier/index.ts';
import type { VerifierOptions } from '../src/verifier/options.ts';
import type { Harness } from './harness.ts';
import { type LoopbackProxy, proxyTo } from './proxy.ts';

/** Enforcement points of a gateway that is reached over HTTP, as an API embeds them. */

/** A gateway that is reached somewhere, and may be asked for an enforcement point. */
export interface Reached {
  readonly url: string;
  /** The token of a caller that may do everything. */
  readonly admin: string;
}

export const reached = (h: Harness & { readonly url: string }): Reached => ({
  url: h.url,
  admin: h.demo.callers.admin,
});

/** Asks for a mutation over HTTP, which must be done. */
export async function mutate<T = Record<string, unknown>>(
  { url, admin }: Reached,
  mutation: string,
  input: object,
  fields = '__typename',
): Promise<T> {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}`;
  const query = `mutation M($input: ${type}Input!) {
    result: ${mutation}(input: $input) {
      __typename
      ... on ${type}Success { ${fields} }
      ... on Error { code message }
    }
  }`;
  const response = await fetch(new URL('/graphql', url), {
    method: 'POST',
    headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables: { input } }),
  });
  const { data, errors } = (await response.json()) as {
    data?: { result: T & { __typename: string } };
    errors?: unknown;
  };
  expect([mutation, errors, data?.result]).toEqual([
    mutation,
    undefined,
    expect.objectContaining({ __typename: `${type}Success` }),
  ]);
  return data?.result as T;
}

/** Makes an enforcement point; its id and its token. */
export async function makePoint(
  gateway: Reached,
  name = `point-${crypto.randomUUID()}`,
): Promise<{ id: string; token: string }> {
  const made = await mutate<{ secret: string; enforcementPoint: { id: string } }>(
    gateway,
    'createEnforcementPoint',
    { name },
    'secret enforcementPoint { id }',
  );
  return { id: made.enforcementPoint.id, token: made.secret };
}

/** A verifier for as long as a test runs, of a new point unless said; it is ready. */
export async function follow(
  gateway: Reached,
  options: Partial<VerifierOptions> = {},
): Promise<Verifier> {
  const token = options.token ?? (await makePoint(gateway)).token;
  const verifier = createVerifier({ url: gateway.url, whenStale: 'strict', ...options, token });
  onTestFinished(() => verifier.close());
  await verifier.ready();
  return verifier;
}

/** A verifier behind a proxy of its own. */
export async function followThrough(
  gateway: Reached,
  options: Partial<VerifierOptions> = {},
): Promise<{ verifier: Verifier; proxy: LoopbackProxy; id: string; token: string }> {
  const proxy = await proxyTo(gateway.url);
  const { id, token } = await makePoint(gateway);
  const verifier = await follow({ ...gateway, url: proxy.url }, { ...options, token });
  return { verifier, proxy, id, token };
}

/** `good`, or why it is not. */
export async function said(verifier: Verifier, presented: string, address?: string) {
  const verdict = await verifier.verify(presented, { address });
  return verdict.ok ? 'good' : verdict.reason;
}

/** Resolves once it is so. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** Resolves once the feed has brought all that the ledger holds. */
export async function caughtUp(verifier: Verifier, h: Harness): Promise<void> {
  const seq = (await h.ledger()).at(-1)?.seq ?? 0;
  await until(() => (verifier.status().position ?? -1) >= seq);
}
