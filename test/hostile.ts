import { METHODS } from 'node:http';
import fc from 'fast-check';

/** What somebody sends who means harm, or does not know what they do. */

const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

const knownTexts = [
  ...['', ' ', '.', '..', '-', '*', '?', '#', '/', '\\', '%', ':', '@', ';', '"', "'", '\t', '\0'],
  ...['../../../../etc/passwd', '..\\..\\boot.ini', '/etc/passwd\0.png', '....//', 'file:///etc'],
  ...[
    "' OR '1'='1",
    "'); DROP TABLE x;--",
    '" OR ""="',
    '1; SELECT 1',
    "x' UNION SELECT 1--",
    '%_',
  ],
  ...['a\0b', '\u202egnp.exe', '\u200f', '\ufeff', '\ud800', 'a\udfff', '\u2028', '\u{1f4a9}', 'İ'],
  ...['%00', '%2e%2e%2f', '%zz', '%c0%af', '%u0041', '%25%30%30', '+', '%ed%a0%80'],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then', '__typename'],
  ...['NaN', 'Infinity', '-0', '-1', '0', '1e400', '9007199254740993', '0x10', '٣', '1.5', '1e3'],
  ...['null', 'undefined', 'true', '[object Object]', '{}', '[]', nested(50), '$ne', '$' + '{7*7}'],
  ...['<script>alert(1)</script>', '{{7*7}}', '\r\nSet-Cookie: a=b', '=cmd|x', '`id`', '$(id)'],
  ...['00000000-0000-0000-0000-000000000000', 'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF'],
  ...['{01900000-0000-7000-8000-000000000001}', '0190000000007000800000000000000a'],
  ...['2020-01-01T00:00:00Z', '+275760-09-13T00:00:00.001Z', '0000-00-00', '2026-02-30T25:61:61Z'],
  ...['rgw_pat_', 'rgw_key_x', 'ksh_', 'whsec_', 'eyJhbGciOiJub25lIn0.e30.', 'a.b.c', '..', '.b.'],
  ...[
    'http://127.0.0.1:1/',
    'https://a:b@c.example/',
    'http://[::1',
    'javascript:1',
    '//x',
    'http:',
  ],
  ...[
    '0.0.0.0/0',
    '::/129',
    '1.2.3.4/33',
    'fe80::1%lo',
    '*'.repeat(60),
    '(a+)+$',
    `${'a'.repeat(60)}!`,
  ],
];

/** Any code units: halves of surrogate pairs too. */
const units = fc
  .array(fc.nat({ max: 0xffff }), { maxLength: 20 })
  .map((codes) => String.fromCharCode(...codes));

const base64url = (given: string) => Buffer.from(given).toString('base64url');

/** A JWT that nobody has signed, and that says whatever it likes of itself. */
const jwt = fc
  .record({
    head: fc.record(
      {
        alg: fc.constantFrom('EdDSA', 'ES256', 'RS256', 'none', 'HS256'),
        kid: fc.constantFrom(...knownTexts),
        typ: fc.constantFrom('at+jwt', 'JWT', ...knownTexts),
        jku: fc.constantFrom(...knownTexts),
      },
      { requiredKeys: ['alg'] },
    ),
    said: fc.dictionary(
      fc.constantFrom('iss', 'sub', 'aud', 'jti', 'exp', 'iat', 'organization', 'client_id', 'x'),
      fc.oneof(
        fc.constantFrom(...knownTexts, 'http://localhost:8080'),
        fc.constantFrom(0, 1e300, -1, 4e9, 2 ** 53),
        fc.jsonValue({ maxDepth: 2 }),
      ),
    ),
    signature: fc.constantFrom('', 'x', '_'.repeat(86)),
  })
  .map(({ head, said, signature }) =>
    [base64url(JSON.stringify(head)), base64url(JSON.stringify(said)), signature].join('.'),
  );

/** A text, of whatever kind somebody may think of. */
export const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 1, arbitrary: jwt },
  { weight: 6, arbitrary: fc.constantFrom(...knownTexts) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 2, arbitrary: units },
  { weight: 1, arbitrary: fc.uuid() },
  { weight: 1, arbitrary: fc.constantFrom(201, 1_001, 9_000).map((n) => 'x'.repeat(n)) },
);

/** JSON as it is written, which no object of ours could be. */
const knownJson = [
  ...[
    '',
    ' ',
    '{',
    '{"a":',
    'nul',
    'NaN',
    '1e999',
    '-',
    '"',
    '"\\ud800"',
    '\ufeff{}',
    '{}{}',
    "{'a':1}",
  ],
  ...['{"__proto__":{"name":"x"}}', '{"constructor":{"prototype":{"name":"x"}}}', '{"a":1,"a":2}'],
  ...[nested(5_000), `{"a":${nested(900)}}`, `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`],
  ...['[]', 'null', 'true', '0', '"x"', '[{}]', '{"":""}', '{"name":1e999}', '{"name":{"$ne":1}}'],
  ...['a=b', 'token=%zz', 'token=a&token=b', '&&&', '=', 'token[]=a', '<?xml version="1.0"?><a/>'],
];

const value = fc.oneof(text, fc.jsonValue({ maxDepth: 2 }), fc.double(), fc.bigInt().map(Number));

/** The same object, changed in some places, with more in it than belongs there. */
const changed = (example: Example) =>
  fc
    .record({
      kept: fc.subarray(Object.entries(example)),
      wrong: fc.dictionary(fc.constantFrom('', ...Object.keys(example), '__proto__', 'x'), value, {
        maxKeys: 3,
      }),
    })
    .map(({ kept, wrong }) => ({ ...Object.fromEntries(kept), ...wrong }) as object);

type Example = Readonly<Record<string, unknown>>;

/** An object as a form or as JSON. */
const write = (object: object, form: boolean): string =>
  form
    ? new URLSearchParams(
        Object.entries(object).map(([name, is]) => [
          name,
          typeof is === 'string' ? is.toWellFormed() : JSON.stringify(is),
        ]),
      ).toString()
    : JSON.stringify(object);

/** How clients say in a form who they are. */
const client = {
  ...{ client_id: '', client_secret: '', client_assertion: '', scope: '', token_type_hint: '' },
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
};

/** The body that a request should have, with others of these texts in it. */
export const filled = (example: Example, form: boolean, texts: fc.Arbitrary<string>) =>
  fc
    .dictionary(fc.constantFrom('x', ...Object.keys(example)), texts, { maxKeys: 2 })
    .map((others) => write({ ...example, ...others }, form));

/** The body of a request, as it is written. */
export function body(example: Example, form: boolean) {
  const written = (object: object) => write(object, form);
  return fc.oneof<fc.MaybeWeightedArbitrary<string | Buffer>[]>(
    { weight: 2, arbitrary: fc.constant(written(example)) },
    { weight: 8, arbitrary: changed(form ? { ...example, ...client } : example).map(written) },
    { weight: 3, arbitrary: fc.constantFrom(...knownJson) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: fc.constantFrom(70_000, 1_100_000).map((n) => 'x'.repeat(n)) },
  );
}

/** What a header can carry once the parser of HTTP has let it through. */
const fieldValue = text.map((given) => given.replace(/[^\t\x20-\x7e\x80-\xff]/g, '~').trim());

const types = [
  ...['application/json', 'application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data'],
  ...['application/json; charset=utf-16', 'multipart/form-data; boundary=', 'application/xml'],
  ...['*/*', '', ';', 'application', 'application/jsonx', 'a/b;c="', 'application/graphql'],
  ...['text/html', 'image/png', 'application/graphql-response+json', 'application/json;q=0, */*'],
];

const fields: Record<string, fc.Arbitrary<string | string[]>> = {
  'content-type': fc.constantFrom(...types),
  accept: fc.constantFrom(...types),
  cookie: fieldValue,
  host: fieldValue,
  origin: fieldValue,
  referer: fieldValue,
  'if-none-match': fieldValue,
  'last-event-id': fieldValue,
  'x-forwarded-for': fc.oneof(fieldValue, fc.array(fieldValue, { maxLength: 3 })),
  'x-forwarded-host': fieldValue,
  'x-http-method-override': fc.constantFrom(...METHODS),
  'x-request-id': fieldValue,
  traceparent: fc.oneof(fieldValue, fc.constant(`00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`)),
  tracestate: fieldValue,
  expect: fc.constantFrom('100-continue', 'x'),
  'content-encoding': fc.constantFrom('gzip', 'br', 'x'),
  'accept-encoding': fieldValue,
  range: fc.constantFrom('bytes=0-0', 'bytes=-1', 'x'),
};

/** Some headers that nobody needs. */
export const headers = fc
  .subarray(Object.entries(fields), { maxLength: 4 })
  .chain((some) => fc.record(Object.fromEntries(some)));

/** Who somebody says that they are; most often as somebody who is known. */
export const authorization = (good: readonly string[]) =>
  fc.oneof<fc.MaybeWeightedArbitrary<string | string[] | undefined>[]>(
    { weight: 12, arbitrary: fc.constantFrom(...good) },
    { weight: 1, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fieldValue.map((token) => `Bearer ${token}`) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(text, text)
        .map((pair) => `Basic ${Buffer.from(pair.join(':')).toString('base64')}`),
    },
    { weight: 1, arbitrary: fc.constantFrom(...good).map((one) => `${one}x`) },
    { weight: 1, arbitrary: fc.constantFrom(...good).map((one) => [one, one]) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('', 'Bearer', 'Basic', 'Basic !', 'Digest x', 'bearer  a b'),
    },
  );

/** A text as part of a path, in one of the ways in which it is written there. */
export const segment = (texts: fc.Arbitrary<string>) =>
  fc
    .tuple(texts, fc.constantFrom('once', 'once', 'once', 'twice', 'lower', 'not'))
    .map(([given, way]) => {
      const once = encodeURIComponent(given.toWellFormed());
      if (way === 'twice') return encodeURIComponent(once);
      if (way === 'lower') return once.toLowerCase();
      return way === 'not' ? given.toWellFormed().replace(/[\0-\x20?#]/g, '%7f') : once;
    });
