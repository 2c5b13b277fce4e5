import { GRAPHQL_PATH } from '../../graphql/path.ts';
import type { Connection } from './connection.ts';
import { type Answer, type AskOptions, post, Unanswered } from './request.ts';
import { printable } from './screen.ts';

interface Result {
  readonly data?: unknown;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions?: { readonly code?: string };
  }[];
}

/** Errors that say nothing of what was asked: another time there may be none. */
const passing = new Set<string | undefined>(['UNAVAILABLE', 'INTERNAL_SERVER_ERROR']);

/** Asks GraphQL. Throws, for people, where it answers with errors. */
export async function graphql<Data>(
  connection: Connection,
  query: string,
  variables: object,
  options?: AskOptions,
): Promise<Data> {
  const asked = {
    ...{ path: GRAPHQL_PATH, type: 'application/json' },
    body: JSON.stringify({ query, variables }),
  };
  const check = ({ status, headers, body }: Answer) => {
    const { data, errors = [] } = body as Result;
    if (data != null && errors.length === 0) return;
    const said = errors.map(({ message }) => printable(message)).join(' ');
    const id = printable(headers.get('x-request-id') ?? '');
    throw new Unanswered(`${connection.url} did not take it (${status} ${id}): ${said}`.trim(), {
      passing: errors.some(({ extensions }) => passing.has(extensions?.code)),
    });
  };
  const { body } = await post(connection, asked, { ...options, check });
  return body.data as Data;
}

/** The caller is not known to the gateway. */
export const notLetIn = ({ url, tokenFrom }: Connection, why = 'it is not good'): Unanswered =>
  new Unanswered(
    `${url} does not let you in with the token of ${tokenFrom}: ${printable(why)}`.replace(
      /\.?$/,
      '.',
    ),
  );

/** The caller is known, and may not. */
export const notAllowed = ({ tokenFrom }: Connection, permission: string): Unanswered =>
  new Unanswered(`The token of ${tokenFrom} lacks the permission ${printable(permission)}.`);
