import type { JsonSchema } from '../rest/json-schema.ts';

/** A header of answers, for its readers. */
export interface Header {
  readonly description: string;
  readonly schema: JsonSchema;
}

const header = (description: string, schema: JsonSchema = { type: 'string' }): Header => ({
  description,
  schema,
});

/** Every header that some answer carries and that is not HTTP's own. */
const headers: Readonly<Record<string, Header>> = {
  'X-Request-Id': header('The id of the request. The log has it too.'),
  'Revocation-Id': header('The id of the revocation. The ledger has it too.', {
    type: 'string',
    format: 'uuid',
  }),
  'WWW-Authenticate': header('How to say who you are (RFC 9110).'),
  'Retry-After': header('When to ask again, in seconds.', { type: 'integer' }),
  Accept: header('The types of answers that there are.'),
  Allow: header('The methods that there are.'),
  'Cache-Control': header('Whether the answer may be kept.'),
  Pragma: header('The same, for caches of HTTP/1.0.'),
  ETag: header('Names what is answered: send it in If-None-Match.'),
  Location: header('Where it is.'),
  'Content-Encoding': header('Always none: events are not held back to be compressed.'),
  'Content-Security-Policy': header('What the page may load.'),
  'Referrer-Policy': header('Whether links tell where they are.'),
  'X-Content-Type-Options': header('Whether the type may be guessed.'),
};

const names = new Map(Object.keys(headers).map((name) => [name.toLowerCase(), name]));

/** Those that are sent so. */
export function headersNamed(sent: readonly string[]): Record<string, Header> {
  const known = sent.map((lower) => {
    const name = names.get(lower);
    if (name === undefined) throw new Error(`The header ${lower} has no description`);
    return name;
  });
  return Object.fromEntries(Object.entries(headers).filter(([name]) => known.includes(name)));
}
