import { createHash } from 'node:crypto';
import type { Reply } from '../rest/dialect.ts';

/** Something that stays what it is while the gateway runs. */
export interface StaticFile {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Clients may keep it, and ask each time whether it is still the same. */
export const staticFile = (
  type: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): StaticFile => ({
  headers: {
    'content-type': type,
    'cache-control': 'no-cache',
    etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
    ...headers,
  },
  body,
});

/** The file, or 304 to a client that has it (RFC 9110, 13.1.2). */
export function replyOf({ headers, body }: StaticFile, ifNoneMatch: string | undefined): Reply {
  const { etag = '', 'cache-control': cacheControl = '' } = headers;
  const known = (ifNoneMatch ?? '').split(',').map((each) => each.trim().replace(/^W\//, ''));
  return known.includes(etag) || known.includes('*')
    ? { status: 304, headers: { 'cache-control': cacheControl, etag }, body: '' }
    : { status: 200, headers, body };
}
