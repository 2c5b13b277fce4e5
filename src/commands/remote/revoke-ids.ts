import { carriesSecret } from '../../secrets.ts';
import type { LongWork } from '../interruptible.ts';
import type { Connection } from './connection.ts';
import { EFFECTS_MAX, effectsOf } from './effects.ts';
import { graphql, notLetIn } from './graphql.ts';
import { type Revoked, report } from './outcomes.ts';
import { Unanswered } from './request.ts';
import { printable } from './screen.ts';

/** Ids in one request: the gateway takes more, but what is lost with a connection is not known. */
const IDS_PER_REQUEST_MAX = 1_000;

/** Their JSON together, within the body that a gateway takes. */
const IDS_BYTES_MAX = 900_000;

/** A longer one can name nothing, and would have the gateway refuse all that are sent along. */
const ID_CHARS_MAX = 401;

const REVOKE = `mutation ($input: RevokeManyInput!) {
  revokeMany(input: $input) {
    ... on RevokeManySuccess {
      results {
        id
        revocation { id revokedAt }
        error { code message ... on AlreadyRevokedError { revokedAt } }
      }
    }
    ... on Error { code message }
    ... on InvalidInputError { issues { path message } }
  }
}`;

interface Answer {
  readonly results?: readonly {
    readonly id: string;
    readonly revocation: { readonly id: string; readonly revokedAt: string } | null;
    readonly error: {
      readonly code: string;
      readonly message: string;
      readonly revokedAt?: string;
    } | null;
  }[];
  readonly code?: string;
  readonly message?: string;
  readonly issues?: readonly { readonly path: string; readonly message: string }[];
}

export interface Wanted {
  /** As GraphQL has it. */
  readonly kind: string;
  readonly ids: readonly string[];
  readonly reason?: string | undefined;
  readonly comment?: string | undefined;
}

/** Revokes what has these ids, in their order, and prints what came of each as it is answered. */
export async function revokeIds(
  connection: Connection,
  { ids, ...wanted }: Wanted,
  json: boolean | undefined,
  { signal, progress }: LongWork,
): Promise<void> {
  let attempted = 0;
  await report('id', { json, given: ids.length }, async (add) => {
    for (const batch of batchesOf(ids)) {
      const rows = await revokeBatch(connection, { ...wanted, ids: batch }, signal);
      const done = rows.flatMap(({ revocationId }) => revocationId ?? []);
      add(rows, await effectsOf(connection, ids.length > EFFECTS_MAX ? [] : done, signal));
      attempted += batch.length;
      if (attempted < ids.length) progress(`Done of ${ids.length.toLocaleString('en')}`, attempted);
      if (rows.some(({ outcome }) => outcome === 'UNAUTHENTICATED')) {
        throw notLetIn(connection, 'it was revoked meanwhile, perhaps as one of these ids');
      }
    }
  });
}

/** As many at once as one request takes. */
function* batchesOf(ids: readonly string[]): Generator<string[]> {
  let batch: string[] = [];
  let bytes = 0;
  for (const id of ids) {
    const more = Buffer.byteLength(JSON.stringify(id)) + 1;
    if (batch.length === IDS_PER_REQUEST_MAX || bytes + more > IDS_BYTES_MAX) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(id);
    bytes += more;
  }
  yield batch;
}

/** What an id has that can name nothing; the gateway would take none of the others either. */
function invalid(id: string): string | undefined {
  if (carriesSecret(id)) return 'This looks like a secret: gateway revoke --value takes those.';
  if (id.length > ID_CHARS_MAX) return `An id has ${ID_CHARS_MAX} characters at the most.`;
  return id.includes('\0') || !id.isWellFormed() ? 'This is no text.' : undefined;
}

async function revokeBatch(
  connection: Connection,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Revoked[]> {
  const ids = wanted.ids.filter((id) => invalid(id) === undefined);
  const answered = ids.length === 0 ? [] : await ask(connection, { ...wanted, ids }, signal);
  let next = 0;
  return wanted.ids.map((id) => {
    const message = invalid(id);
    // What looks like a secret is not printed once more.
    const given = carriesSecret(id) ? '(a secret)' : id;
    if (message !== undefined) {
      return { given, outcome: 'INVALID_INPUT', revocationId: null, revokedAt: null, message };
    }
    const { revocation, error } = answered[next++] ?? {};
    return {
      ...{ given, outcome: error?.code ?? 'REVOKED', revocationId: revocation?.id ?? null },
      revokedAt: revocation?.revokedAt ?? error?.revokedAt ?? null,
      message: error?.message ?? null,
    };
  });
}

async function ask(connection: Connection, input: Wanted, signal: AbortSignal) {
  const { revokeMany } = await graphql<{ revokeMany: Answer }>(
    ...([connection, REVOKE, { input }, { signal }] as const),
  );
  const { results, code, message = '', issues = [] } = revokeMany;
  if (code === 'UNAUTHENTICATED') throw notLetIn(connection, message);
  if (results?.length !== input.ids.length) {
    const said = issues.map((issue) => `${issue.path}: ${issue.message}`);
    throw new Unanswered([message, ...said].map(printable).join('\n  '));
  }
  return results;
}
