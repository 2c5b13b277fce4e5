import { ACKNOWLEDGEMENT_BYTES_MAX } from '../feed/mount.ts';
import { Unauthenticated, unauthenticatedReasons } from '../refusals.ts';
import { challenge, type Reply } from '../rest/dialect.ts';
import { gatewayAnswers, problem } from '../rest/dialects/gateway.ts';
import {
  flag,
  type JsonSchema,
  listOf,
  object,
  orNull,
  said,
  text,
  whole,
} from '../rest/json-schema.ts';
import { generalAnswers } from './general.ts';
import { type Answer, type Operation, requestTo, schemaNamed } from './operation.ts';

const seq = said('The number of an entry of the ledger.', whole);
const ms = said('In milliseconds since 1970.', whole);

/** What the events of the feed carry as data. */
export const feedSchemas: Record<string, JsonSchema> = {
  FeedSnapshot: object({
    position: seq,
    revoked: said('Ids of what is revoked.', listOf(text)),
    limited: said(
      'Ids of auth methods whose tokens may not be used from everywhere.',
      listOf(text),
    ),
    more: said('Whether another part follows.', flag),
  }),
  FeedChange: object({
    seq,
    at: ms,
    type: { type: 'string', enum: ['revoked', 'used-up', 'limited', 'cut-off'] },
    id: said('Null for JWTs of others.', orNull(text)),
    kind: text,
  }),
  FeedPosition: object({
    position: seq,
    now: ms,
    keys: said('Ids of the keys of the gateway that count.', listOf(text)),
  }),
};

const stream: Reply = {
  status: 200,
  headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' },
  body: [
    'event: snapshot\nid: 7-Vq3xT0aB\ndata: {"position":7,"revoked":["01900000-0000-7000-8000-000000000025"],"limited":[],"more":false}\n',
    'event: position\nid: 7-Vq3xT0aB\ndata: {"position":7,"now":1795251600000,"keys":["kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"]}\n',
    'event: change\nid: 8-m0Zk2_Qe\ndata: {"seq":8,"at":1795251600120,"type":"revoked","id":"01900000-0000-7000-8000-000000000023","kind":"access-token"}\n\n',
  ].join('\n'),
};

/** The number of an entry, and what tells it from others. */
const place: JsonSchema = { type: 'string', pattern: '^\\d{1,15}(?:-[\\w-]{8})?$' };

const NOT_A_POINT = 'Only an enforcement point may follow the feed.';

function refusals(method: string, path: string, wrong: string): Answer[] {
  const unkept = { 'cache-control': 'no-store' };
  const { description: unknown } = Unauthenticated;
  const answer = (name: string, what: string, status: number, detail: string, more = {}) => {
    const reply = problem(requestTo(method, path), status, detail);
    const headers = { ...reply.headers, ...unkept, ...more };
    return { ...{ name, what, schema: schemaNamed('Problem') }, reply: { ...reply, headers } };
  };
  return [
    answer('invalid-input', 'What is sent is no number of an entry.', 400, wrong),
    ...unauthenticatedReasons.map((reason) => {
      const { message } = new Unauthenticated(reason);
      const given = answer(`unauthenticated.${reason}`, unknown, 401, message, challenge);
      return { ...given, when: message };
    }),
    answer('not-a-point', 'The caller is known, and is no enforcement point.', 403, NOT_A_POINT),
  ];
}

const common = { tag: 'Feed', security: [{ enforcementPoint: [] }] } as const;

/** What enforcement points do. */
export function feedOperations(): Operation[] {
  const general = (method: string, path: string, bodyBytesMax?: number) =>
    generalAnswers({
      ...{ method, path, words: gatewayAnswers, prefix: '/', schema: schemaNamed('Problem') },
      bodyBytesMax,
    });
  return [
    {
      ...{ ...common, method: 'GET', path: '/feed' },
      operationId: 'followFeed',
      summary: 'Follow what ends in the organization',
      description:
        'Server-sent events, without an end. An event is a snapshot, a change or a position; its data is a FeedSnapshot, a FeedChange or a FeedPosition. Without a position a snapshot comes first.',
      parameters: [
        {
          ...{ name: 'after', in: 'query', schema: place },
          description: 'From where it is taken up: the id of an event, or a position.',
        },
        {
          ...{ name: 'Last-Event-ID', in: 'header', schema: place },
          description: 'The same, as clients send it that resume; it counts more.',
        },
      ],
      answers: [
        { ...{ name: 'done', what: 'It follows.', reply: stream, schema: text } },
        ...refusals('GET', '/feed', 'after must be the number of an entry of the ledger.'),
        ...general('GET', '/feed'),
      ],
    },
    {
      ...{ ...common, method: 'POST', path: '/feed/acknowledgement' },
      operationId: 'acknowledge',
      summary: 'Say that everything up to an entry is applied',
      requestBody: {
        ...{ type: 'application/json', required: true },
        ...{ schema: object({ seq }), example: { seq: 8 } },
      },
      answers: [
        {
          ...{ name: 'done', what: 'Recorded.' },
          reply: { status: 204, headers: { 'cache-control': 'no-store' }, body: '' },
        },
        ...refusals(
          'POST',
          '/feed/acknowledgement',
          'seq must be the number of an entry of the ledger.',
        ),
        ...general('POST', '/feed/acknowledgement', ACKNOWLEDGEMENT_BYTES_MAX),
      ],
    },
  ];
}
