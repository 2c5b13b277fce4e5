import type { Connection } from './connection.ts';
import { graphql, notAllowed, notLetIn } from './graphql.ts';
import type { AskOptions } from './request.ts';

/** Entries that a page has at the most. */
export const PAGE_MAX = 100;

/** An entry of the ledger, as GraphQL tells of it. */
export interface Entry {
  readonly seq: number;
  readonly id: string;
  readonly at: string;
  readonly action: string;
  readonly kind: string;
  readonly target: string;
  readonly outcome: string;
  readonly refusal: string | null;
  readonly reason: string | null;
  readonly comment: string | null;
  readonly actor: string;
  readonly actorId: string | null;
  readonly surface: string;
  readonly requestId: string;
}

/** A stretch of the ledger, oldest first. */
export interface Page {
  readonly entries: readonly Entry[];
  /** Up to when it is archived. */
  readonly archivedUntil: string | null;
}

const LEDGER = `query ($first: Int, $last: Int, $after: String, $before: String) {
  me {
    archivedUntil
    ledger(first: $first, last: $last, after: $after, before: $before) {
      edges { node {
        seq id at action kind target outcome refusal reason comment actor actorId surface requestId
      } }
    }
  }
}`;

interface Answer {
  readonly me: {
    readonly archivedUntil: string | null;
    readonly ledger: { readonly edges: readonly { readonly node: Entry }[] } | null;
  } | null;
}

/** The list is newest first: `first` are its newest, and `last` its oldest. */
async function ask(connection: Connection, variables: object, options: AskOptions): Promise<Page> {
  const { me } = await graphql<Answer>(connection, LEDGER, variables, options);
  if (me === null) throw notLetIn(connection);
  if (me.ledger === null) throw notAllowed(connection, 'ledger:read');
  const entries = me.ledger.edges.map(({ node }) => node).reverse();
  return { entries, archivedUntil: me.archivedUntil };
}

/** The oldest entries that come after this one. */
export const entriesAfter = (connection: Connection, seq: number, options: AskOptions) =>
  ask(connection, { last: PAGE_MAX, before: String(seq) }, options);

/** The newest entries, so many of them. */
export async function newestEntries(
  connection: Connection,
  count: number,
  options: AskOptions,
): Promise<Entry[]> {
  let entries: Entry[] = [];
  while (entries.length < count) {
    const first = Math.min(PAGE_MAX, count - entries.length);
    const after = entries[0] && String(entries[0].seq);
    const page = await ask(connection, { first, after }, options);
    entries = [...page.entries, ...entries];
    if (page.entries.length < first) break;
  }
  return entries;
}
