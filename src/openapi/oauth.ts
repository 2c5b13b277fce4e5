import { oauthWords, unkept } from '../oauth/answers.ts';
import { ASSERTION_TYPE } from '../oauth/assertion.ts';
import { OAUTH_BODY_BYTES_MAX } from '../oauth/mount.ts';
import { oauthPaths } from '../oauth/paths.ts';
import { CLIENT_TOKEN_TTL_S } from '../oauth/token.ts';
import { type JsonSchema, object, said, text } from '../rest/json-schema.ts';
import { generalAnswers } from './general.ts';
import { callersToldNo, noToken, unknownClient, unreadable, wrong } from './oauth-answers.ts';
import { oauthDocuments } from './oauth-documents.ts';
import { type Answer, type Operation, schemaNamed } from './operation.ts';

/** What clients send that do not authenticate by the header. */
const client = {
  client_id: said('Of a client that authenticates here, and not in the header.', text),
  client_secret: said('Its secret.', text),
  client_assertion_type: said('With a client_assertion.', { const: ASSERTION_TYPE }),
  client_assertion: said('A JWT that one of its keys has signed (RFC 7523).', text),
};

const token = {
  token: said('The value that it is about: of any kind.', text),
  token_type_hint: said('Not needed, and not looked at.', text),
};

interface Endpoint extends Pick<Operation, 'path' | 'operationId' | 'summary' | 'description'> {
  readonly security: Operation['security'];
  readonly fields: Readonly<Record<string, JsonSchema>>;
  readonly needed: string;
  readonly example: Readonly<Record<string, string>>;
  readonly answers: readonly Answer[];
}

function endpoint({ fields, needed, example, answers, ...said }: Endpoint): Operation {
  const method = 'POST';
  const properties = { ...fields, ...client };
  return {
    ...{ ...said, method, tag: 'OAuth' },
    requestBody: {
      type: 'application/x-www-form-urlencoded',
      required: true,
      schema: object(
        properties,
        Object.keys(properties).filter((name) => name !== needed),
      ),
      example,
    },
    answers: [
      ...answers,
      ...unreadable,
      ...generalAnswers({
        ...{ method, path: said.path, words: oauthWords.general, prefix: oauthWords.prefix },
        ...{ schema: schemaNamed('OauthError'), bodyBytesMax: OAUTH_BODY_BYTES_MAX },
      }),
    ],
  };
}

/** The OAuth endpoints, and what clients read of the gateway. */
export const oauthOperations = (publicUrl: string): Operation[] => [
  endpoint({
    path: oauthPaths.token,
    operationId: 'issueClientToken',
    summary: 'Issue a token to a client',
    description: 'RFC 6749, 4.4. A client that does not authenticate by the header does so here.',
    security: [{ client: [] }, {}],
    fields: {
      grant_type: { const: 'client_credentials' },
      scope: said('Permissions, with blanks between; all that the client has, unless said.', text),
    },
    needed: 'grant_type',
    example: { grant_type: 'client_credentials' },
    answers: [
      {
        ...{ name: 'done', what: 'Issued.' },
        reply: unkept(200, {
          access_token: 'eyJ…',
          token_type: 'Bearer',
          expires_in: CLIENT_TOKEN_TTL_S,
          scope: 'api-key:revoke',
        }),
        schema: object(
          {
            access_token: text,
            token_type: { const: 'Bearer' },
            expires_in: said('In seconds.', { type: 'integer' }),
            scope: said('Permissions, with blanks between.', text),
          },
          ['scope'],
        ),
      },
      wrong(
        'grant',
        'There is no grant_type.',
        'grant_type',
        'The parameter grant_type is missing.',
      ),
      wrong(
        'other-grant',
        'The grant_type is another.',
        'grant_type',
        'The grant_type is client_credentials.',
        'unsupported_grant_type',
      ),
      wrong(
        'scope',
        'The scope is more than the client has.',
        'scope',
        'The scope is a list of permissions, all of them the own ones of the client.',
        'invalid_scope',
      ),
      unknownClient,
    ],
  }),
  endpoint({
    path: oauthPaths.introspection,
    operationId: 'introspect',
    summary: 'Ask whether a value is good now',
    description:
      'RFC 7662. It counts as no use. An enforcement point is told besides what it needs to keep the answer. Who accepts application/token-introspection+jwt gets it signed (RFC 9701).',
    security: [
      { client: ['credential:introspect'] },
      { bearer: ['credential:introspect'] },
      { enforcementPoint: [] },
      {},
    ],
    fields: {
      ...token,
      client_ip: said('From where the value was used: whether it may be is said, too.', text),
    },
    needed: 'token',
    example: { token: DEMO_KEY },
    answers: [
      {
        ...{ name: 'done.active', what: 'It is good, or it is not.', when: 'It is good.' },
        reply: unkept(200, {
          active: true,
          client_id: '01900000-0000-7000-8000-000000000024',
          username: 'key-002',
          iat: 1795251600,
          sub: '01900000-0000-7000-8000-000000000024',
          iss: publicUrl,
          jti: '01900000-0000-7000-8000-000000000025',
          organization: 'acme',
          credential_kind: 'api-key',
        }),
        schema: schemaNamed('Introspection'),
      },
      {
        ...{ name: 'done.inactive', what: 'It is good, or it is not.', when: 'It is not.' },
        reply: unkept(200, { active: false }),
        schema: schemaNamed('Introspection'),
      },
      {
        ...{ name: 'done.signed', what: 'It is good, or it is not.', when: 'The same, signed.' },
        reply: {
          ...unkept(200, {}, { 'content-type': 'application/token-introspection+jwt' }),
          body: 'eyJ…',
        },
        schema: text,
      },
      ...callersToldNo('credential:introspect'),
      noToken,
      wrong(
        'client_ip',
        'The client_ip is none.',
        'client_ip',
        'The parameter client_ip is no IP address.',
      ),
    ],
  }),
  endpoint({
    path: oauthPaths.revocation,
    operationId: 'revoke',
    summary: 'Revoke a value of any kind',
    description:
      'RFC 7009. What is not good any more, or never was, is answered alike, but for the header Revocation-Id. Whoever revokes a value needs the permission that revokes its kind; a client may revoke its own.',
    security: [{ client: [] }, { bearer: [] }, {}],
    fields: token,
    needed: 'token',
    example: { token: DEMO_KEY },
    answers: [
      {
        ...{ name: 'done', what: 'It is not good any more.' },
        reply: unkept(200, {}, { 'revocation-id': '01900000-0000-7000-8000-00000000005a' }),
        schema: object({}),
      },
      ...callersToldNo('api-key:revoke'),
      noToken,
    ],
  }),
  ...oauthDocuments(publicUrl),
];

/** A key of the demo, which is public. */
const DEMO_KEY = 'rgw_key_d6H2dtevsEbFX4A4gvQDMfkCp7EbXhcrsIrQecT7rZQ';
