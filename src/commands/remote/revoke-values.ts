import { oauthPaths } from '../../oauth/paths.ts';
import { StartError } from '../../start-error.ts';
import type { LongWork } from '../interruptible.ts';
import type { Connection } from './connection.ts';
import { EFFECTS_MAX, effectsOf } from './effects.ts';
import { graphql } from './graphql.ts';
import { postForm } from './oauth.ts';
import { type Revoked, report } from './outcomes.ts';

/** Entries of the ledger in which it is looked for what became of a value. */
const ENTRIES_BACK_MAX = 50;

const LOOK = `query ($id: ID!, $done: Boolean!) {
  me {
    revocation(id: $id) @include(if: $done) { kind target revokedAt }
    ledger(first: ${ENTRIES_BACK_MAX}) @skip(if: $done) {
      edges { node { requestId kind target refusal } }
    }
  }
}`;

interface Look {
  readonly me: {
    readonly revocation?: (Found & { readonly revokedAt: string }) | null;
    readonly ledger?: { readonly edges: readonly { readonly node: Entry }[] } | null;
  } | null;
}

interface Found {
  readonly kind: string;
  readonly target: string;
}

interface Entry extends Found {
  readonly requestId: string;
  readonly refusal: string | null;
}

/** Revokes what has these values, whatever they are, and prints what came of each. */
export async function revokeValues(
  connection: Connection,
  values: readonly string[],
  json: boolean | undefined,
  { signal, progress }: LongWork,
): Promise<void> {
  await report('value', { json, given: values.length }, async (add) => {
    for (const [i, value] of values.entries()) {
      const row = await revokeValue(connection, value, `#${i + 1}`, signal);
      const done = values.length > EFFECTS_MAX ? [] : [row.revocationId ?? []].flat();
      add([row], await effectsOf(connection, done, signal));
      if (i + 1 < values.length) progress(`Done of ${values.length}`, i + 1);
    }
  });
}

async function revokeValue(
  connection: Connection,
  token: string,
  given: string,
  signal: AbortSignal,
): Promise<Revoked> {
  const answer = await postForm(connection, oauthPaths.revocation, { token }, signal);
  const refused = (outcome: string, message: string): Revoked => ({
    ...{ given, outcome, message, revocationId: null, revokedAt: null },
  });
  if (answer.lacks !== undefined) {
    return refused('PERMISSION_DENIED', `You lack the permission ${answer.lacks}.`);
  }
  if (answer.status !== 200) return refused('INVALID_INPUT', answer.description);
  const revocationId = answer.headers.get('revocation-id');
  const variables = { id: revocationId ?? '', done: revocationId !== null };
  const { me } = await graphql<Look>(connection, LOOK, variables, { signal }).catch((error) => {
    // What is revoked is so, whatever becomes of this question.
    if (error instanceof StartError || signal.aborted) return { me: null };
    throw error;
  });
  if (revocationId !== null) {
    const revocation = me?.revocation ?? undefined;
    const revokedAt = revocation?.revokedAt ?? null;
    const found = revocation && { kind: revocation.kind, target: revocation.target };
    return { given, outcome: 'REVOKED', found, revocationId, revokedAt, message: null };
  }
  // The answer tells nobody; the ledger tells whoever may read it.
  const requestId = answer.headers.get('x-request-id');
  const entry = me?.ledger?.edges.find(({ node }) => node.requestId === requestId)?.node;
  if (entry?.refusal === 'ALREADY_REVOKED') {
    const { kind, target } = entry;
    return { ...refused('ALREADY_REVOKED', 'It was revoked before.'), found: { kind, target } };
  }
  return entry?.refusal === 'NOT_FOUND'
    ? refused('NOT_FOUND', 'Nothing in your organization has this value.')
    : refused('NOT_REVOKED', 'It is unknown here, or was revoked before: the ledger says which.');
}
