import type { Demo } from '../db/demo.ts';
import { type AnyCredential, credentials } from '../src/credentials/kinds.ts';

/** A credential that load revokes, and how each surface is asked to. */
export interface Target {
  readonly kind: string;
  /** As the ledger names it. */
  readonly name: string;
  readonly mutation: string;
  readonly input: Readonly<Record<string, string>>;
  readonly rest: { readonly method: 'DELETE' | 'POST'; readonly path: string };
  /** What stops working with it, where there is something to show. */
  readonly secret: string | undefined;
  /** Whether it was asked for before, and no answer came: it may be revoked already. */
  tried: boolean;
}

/** The five kinds that products revoke: where the demo data have them, and how they are revoked. */
const entries: readonly [keyof Demo, kind: string, mutation: string][] = [
  ['jwtAuth', 'jwt-auth', 'revokeJwtAuth'],
  ['accessToken', 'access-token', 'revokeToken'],
  ['apiKey', 'api-key', 'revokeApiKey'],
  ['serviceAccountToken', 'service-account-token', 'revokeServiceAccountToken'],
  ['jwkValidation', 'jwk-validation', 'unassignJwkValidation'],
];

const byMutation = new Map(credentials.map((each) => [each.graph.mutation, each]));

/** Every target of the demo data, the kinds in turn. */
export function targetsOf(demo: Demo): Target[] {
  const lists = entries.map(([entry, kind, mutation]) =>
    (demo[entry] as Record<string, string>[]).map((given) => targetOf(kind, mutation, given)),
  );
  return (lists[0] ?? []).flatMap((_, i) => lists.flatMap((list) => list[i] ?? []));
}

/** An API key that was just made. */
export const apiKeyTarget = (applicationId: string, keyId: string, key: string): Target =>
  targetOf('api-key', 'revokeApiKey', { applicationId, keyId, key });

function targetOf(kind: string, mutation: string, given: Record<string, string>): Target {
  const { graph, rest } = byMutation.get(mutation) as AnyCredential;
  if (rest === undefined) throw new Error(`${mutation} has no REST route`);
  const fields = Object.values(rest.params);
  const input = Object.fromEntries(fields.map((field) => [field, given[field] ?? '']));
  const path = (rest.paths[0] ?? '').replace(/:(\w+)/g, (_whole, param: string) =>
    encodeURIComponent(input[rest.params[param] ?? ''] ?? ''),
  );
  return {
    kind,
    name: Object.keys(graph.input)
      .map((field) => input[field])
      .join('/'),
    mutation,
    input,
    rest: { method: rest.method as 'DELETE' | 'POST', path },
    secret: given.accessToken ?? given.token ?? given.key,
    tried: false,
  };
}

/** A document that revokes so many at once, each under a name of its own. */
export function documentOf(targets: readonly Target[]): string {
  const variables = targets.map(({ mutation }, i) => `$i${i}: ${inputType(mutation)}!`);
  const fields = targets.map(
    ({ mutation }, i) => `r${i}: ${mutation}(input: $i${i}) {
      __typename ... on RevocationSuccess { revocation { id } } ... on Error { code } }`,
  );
  return `mutation (${variables.join(', ')}) { ${fields.join('\n')} }`;
}

const inputType = (mutation: string) =>
  `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
