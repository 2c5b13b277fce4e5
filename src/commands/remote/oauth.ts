import type { Connection } from './connection.ts';
import { notLetIn } from './graphql.ts';
import { post } from './request.ts';
import { printable } from './screen.ts';

/** An answer of an OAuth endpoint. */
export interface OauthAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
  /** What was wrong, in words. */
  readonly description: string;
  /** The permission that the caller lacks. */
  readonly lacks: string | undefined;
}

/** Sends a form to an OAuth endpoint. Throws where the caller is not known. */
export async function postForm(
  connection: Connection,
  path: string,
  form: Record<string, string>,
  signal: AbortSignal,
): Promise<OauthAnswer> {
  const type = 'application/x-www-form-urlencoded';
  const asked = { path, type, body: new URLSearchParams(form).toString() };
  const { status, headers, body } = await post(connection, asked, { signal });
  const { error_description: said, error } = body;
  const description = printable(String(said ?? error ?? status));
  if (status === 401) throw notLetIn(connection, description);
  const challenge = headers.get('www-authenticate') ?? '';
  const lacks =
    status === 403 ? (/scope="([^"]*)"/.exec(challenge)?.[1] ?? description) : undefined;
  return { status, headers, body, description, lacks };
}
