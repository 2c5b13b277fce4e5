import type { InjectOptions } from 'fastify';
import type { Demo } from '../db/demo.ts';

/** A request by its name: its body, as JSON or as it is, and what else it has of its own. */
export type Requested = [name: string, body: unknown, more?: InjectOptions];

const JSON_ONLY = 'application/json';
const RESPONSE = 'application/graphql-response+json';

const accepting = (accept: string): InjectOptions => ({ headers: { accept } });
const typed = (type: string): InjectOptions => ({ headers: { 'content-type': type } });
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

/** A body with one more parameter, which may be too deep to be written otherwise. */
const withText = (body: object, name: string, json: string) =>
  `${JSON.stringify(body).slice(0, -1)},"${name}":${json}}`;

const me = { query: '{ me { name } }' };
const two = 'query A { me { name } } query B { me { __typename } } mutation C { __typename }';
const create = `mutation ($name: String!) {
  createApplication(input: { name: $name }) {
    __typename ... on CreateApplicationSuccess { application { name } } ... on Error { code }
  }
}`;
const issues = 'mutation ($a: String!) { createApplication(input: { name: $a }) { __typename } }';
const revoke = `mutation ($input: RevokeApiKeyInput!) {
  revokeApiKey(input: $input) {
    __typename
    ... on RevocationSuccess { revocation { target reason actor } }
    ... on Error { code message }
  }
}`;
const page = 'query ($first: Int = 1) { me { applications(first: $first) { edges { cursor } } } }';
const shown = `query ($yes: Boolean!, $no: Boolean = false) {
  a: me { ...F @include(if: $yes) ...F @include(if: $no) }
  b: me { ...F @skip(if: $yes) name @skip(if: $no) }
  c: me @include(if: $no) { name }
} fragment F on Me { type: __typename permissions }`;

/** Types that a client may accept. */
const accepts: Requested[] = [
  ...[JSON_ONLY, RESPONSE, '*/*', 'application/*', '*/json', '*', '', ' ', 'nothing', 'text/html'],
  ...[`${RESPONSE}, ${JSON_ONLY}`, `${JSON_ONLY}, ${RESPONSE}`, `${JSON_ONLY};q=0, ${RESPONSE}`],
  ...[
    `${RESPONSE};charset=utf-8`,
    `${RESPONSE};charset=latin1, ${JSON_ONLY}`,
    'Application / JSON',
  ],
  ...['multipart/mixed', `multipart/mixed, ${JSON_ONLY}`, `${RESPONSE}; charset=latin1`, ',,;'],
  ...[`${RESPONSE}, application/graphql+json, ${JSON_ONLY}, text/event-stream, multipart/mixed`],
].flatMap((accept): Requested[] => [
  [`accepts "${accept}"`, me, accepting(accept)],
  [`is invalid and accepts "${accept}"`, { query: '{ nowhere }' }, accepting(accept)],
  [`cannot be parsed and accepts "${accept}"`, { query: '{' }, accepting(accept)],
  [`lacks a variable and accepts "${accept}"`, { query: create }, accepting(accept)],
]);

/** Types that a client may name, and places that it may ask. */
const places: Requested[] = [
  ...['application/json;charset=utf-8', 'application/json; charset=utf-16', 'APPLICATION/JSON'],
  ...['application/json, text/plain', 'application/json ;a=b', 'application/graphql+json'],
  ...['application/graphql', 'text/plain', 'multipart/form-data; boundary=x', 'application/jsonx'],
].map((type): Requested => [`is called "${type}"`, me, typed(type)]);
for (const url of ['/graphql?op=Me', '/graphql?query={a}&query={b}', '/%67raphql', '/graphql/']) {
  places.push([`goes to ${url}`, me, { url }]);
}
places.push(['has no token', me, { headers: { authorization: '' } }]);
places.push(['has a bad token', me, { headers: { authorization: 'Bearer nothing' } }]);

/** Bodies that are not what they should be, or just so. */
const bodies: Requested[] = [
  ['is empty', ''],
  ['is only space', ' '],
  ['is no JSON', '{"query":'],
  ['begins with a byte order mark', `\uFEFF${JSON.stringify(me)}`],
  ['is no UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
  ['has a key twice', '{"query":"{ a }","query":"{ me { name } }"}'],
  ['has bytes behind it', `${JSON.stringify(me)} x`],
  ...['null', 'true', '1', '"text"', '[]', '{}', nested(5_000)].map(
    (body): Requested => [`is ${body.slice(0, 30)}`, body],
  ),
  ['is a batch of one', [me]],
  ['is a batch', [me, me]],
  ...[null, 1, '', ' ', '#', [], {}, ['{ me { name } }'], true].map(
    (query): Requested => [`has the query ${JSON.stringify(query)}`, { query }],
  ),
  ...['null', '1', '""', '"{}"', '[]', '{}', '{"a":1}', '{"name":[]}', nested(5_000)].flatMap(
    (value): Requested[] => [
      [`has the variables ${value.slice(0, 30)}`, withText(me, 'variables', value)],
      [`has the extensions ${value.slice(0, 30)}`, withText(me, 'extensions', value)],
      [`creates by ${value.slice(0, 30)}`, withText({ query: create }, 'variables', value)],
    ],
  ),
  [
    'creates by a deep value',
    withText({ query: create }, 'variables', `{"name":${nested(5_000)}}`),
  ],
  ...[null, '', 'A', 'B', 'C', 'D', 1, [], {}, '__proto__', 'constructor'].flatMap(
    (operationName): Requested[] => [
      [`names ${JSON.stringify(operationName)} of several`, { query: two, operationName }],
      [`names ${JSON.stringify(operationName)} of one`, { ...me, operationName }],
    ],
  ),
  ['names none of several', { query: two }],
  ['has a parameter too many', { ...me, more: 1 }],
  ['has a parameter too many that is null', { ...me, more: null }],
  ['has __proto__', '{"query":"{ me { name } }","__proto__":{"variables":{}}}'],
  ['has the query in __proto__', '{"__proto__":{"query":"{ me { name } }"}}'],
  ['has __proto__ that is null', '{"query":"{ me { name } }","__proto__":null}'],
  ['has constructor', { ...me, constructor: { prototype: {} } }],
];

/** Values that are used as names, and texts that are used as code, where somebody is careless. */
const hostile: Requested[] = [
  ...[
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'class',
    'idx0',
    '__context',
  ].flatMap((name): Requested[] => [
    [`has the alias ${name}`, { query: `{ ${name}: me { ${name}: name } }` }],
    [`has the operation ${name}`, { query: `query ${name} { me { name } }`, operationName: name }],
    [
      `has the fragment ${name}`,
      { query: `{ me { ...${name} } } fragment ${name} on Me { name }` },
    ],
    [
      `has the variable ${name}`,
      `{"query":${JSON.stringify(issues.replaceAll('$a', `$${name}`))},"variables":{"${name}":" "}}`,
    ],
    [
      `has the input ${name}`,
      `{"query":${JSON.stringify(revoke)},"variables":{"input":{"${name}":{}}}}`,
    ],
  ]),
  ...[
    '"',
    '\\"); globalThis.taken = true; ("',
    "'); globalThis.taken = true; ('",
    '$' + '{globalThis.taken = true}`',
    '\u2028\u2029*/ // <!--',
    '__MAGIC_DATE__33a9e76d_02e0_4128_8e92_3530ad3da74dglobalThis.taken=true',
    '__MAGIC_NAN__57f286b9_4c20_487f_b409_79804ddcb4f8',
    '\0\u{d800}',
  ].flatMap((text): Requested[] => [
    [
      `writes ${JSON.stringify(text)}`,
      {
        query: create
          .replace('$name }', `${JSON.stringify(text)} }`)
          .replace('($name: String!)', ''),
      },
    ],
    [`sends ${JSON.stringify(text)}`, { query: create, variables: { name: text } }],
    [
      `has the default ${JSON.stringify(text)}`,
      { query: create.replace('String!', `String! = ${JSON.stringify(text)}`) },
    ],
    [
      `skips by ${JSON.stringify(text)}`,
      { query: `{ me { name @skip(if: ${JSON.stringify(text)}) } }` },
    ],
  ]),
  ['is deep', { query: `${'{ me '.repeat(1_200)}${'}'.repeat(1_200)}` }],
  ['has a deep value', { query: `{ me(a: ${'['.repeat(2_000)}${']'.repeat(2_000)}) { name } }` }],
  ['has too many tokens', { query: `{ ${'a '.repeat(5_000)}}` }],
  ['has a fragment that is its own', { query: '{ me { ...F } } fragment F on Me { ...F }' }],
  [
    'revokes many twice',
    {
      query:
        'mutation ($i: RevokeManyInput!) { a: revokeMany(input: $i) {__typename} b: revokeMany(input: $i) {__typename} }',
    },
  ],
  ['has a long list', { query: revoke, variables: { input: Array(20_000).fill('x') } }],
  ['has a long comment', { query: `${'#'.repeat(50_000)}\n{ me { name } }` }],
  ['looks into the schema', { query: '{ __schema { types { name } } }' }],
  ['defers', { query: '{ me { ... @defer { name } } }' }],
];

/** Well-formed requests, whose order matters. */
const good = ({ apiKey: [key] }: Demo): Requested[] => {
  const input = { applicationId: key?.applicationId, keyId: key?.keyId };
  return [
    ['asks who asks', me],
    ['asks by a name', { query: two, operationName: 'B' }],
    ...[
      {},
      { first: 2 },
      { first: null },
      { first: '2' },
      { first: 2.5 },
      { first: 1e10 },
      { first: -1 },
    ].map(
      (variables): Requested => [`takes ${JSON.stringify(variables)}`, { query: page, variables }],
    ),
    ...[{}, { yes: true }, { yes: false, no: true }, { yes: null }, { yes: 'x' }].map(
      (variables): Requested => [`shows ${JSON.stringify(variables)}`, { query: shown, variables }],
    ),
    ['takes a wrong reason', { query: revoke, variables: { input: { ...input, reason: 'NONE' } } }],
    ['takes a name for a text', { query: revoke, variables: { input: { ...input, comment: 1 } } }],
    ['revokes', { query: revoke, variables: { input: { ...input, reason: 'KEY_COMPROMISE' } } }],
    ['revokes again', { query: revoke, variables: { input } }],
    [
      'revokes what is not there',
      { query: revoke, variables: { input: { ...input, keyId: 'x' } } },
    ],
    [
      'does several things in their order',
      {
        query:
          'mutation { a: createApplication(input: {name: "a"}) {__typename} b: createApplication(input: {name: "b"}) {__typename} c: __typename }',
      },
    ],
    [
      'reads what has come of it',
      {
        query:
          '{ me { ledger { edges { node { seq kind action outcome } } } applications { edges { node { name id ...on Revocable { revokedAt } } } } } }',
      },
    ],
    ['subscribes', { query: 'subscription { revocations { cursor } }' }, accepting(JSON_ONLY)],
  ];
};

/** Requests of every form: good ones, odd ones, and some that mean harm. */
export const requestsOf = (demo: Demo): Requested[] => [
  ...[...accepts, ...places, ...bodies, ...hostile],
  ...good(demo),
];
