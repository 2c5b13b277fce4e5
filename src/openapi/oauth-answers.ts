import { anonymous, bearerWords, clientWords, invalid, type Refused } from '../oauth/answers.ts';
import { InvalidInput, PermissionDenied, Unauthenticated } from '../refusals.ts';
import { type JsonSchema, object, said, text } from '../rest/json-schema.ts';
import { introspectionBody } from './introspection.ts';
import { type Answer, schemaNamed } from './operation.ts';

const errors = {
  OauthError: object({
    error: said('RFC 6749, 6750 and 7009 say what each means.', {
      type: 'string',
      enum: [
        'insufficient_scope',
        'invalid_client',
        'invalid_request',
        'invalid_scope',
        'invalid_token',
        'server_error',
        'temporarily_unavailable',
        'unauthorized_client',
        'unsupported_grant_type',
      ],
    }),
    error_description: text,
  }),
};

/** The schemas that OAuth's operations share. */
export const oauthSchemas: Record<string, JsonSchema> = {
  ...errors,
  Introspection: introspectionBody,
};

const answer = (name: string, what: string, { reply }: Refused): Answer => ({
  ...{ name, what, reply, schema: schemaNamed('OauthError') },
});

/** A parameter that is missing or wrong. */
export const wrong = (name: string, what: string, ...given: Parameters<typeof invalid>) =>
  answer(`invalid-input.${name}`, what, invalid(...given));

/** Whatever the endpoint is. */
export const unreadable = [
  wrong(
    'no-form',
    'The body is no form.',
    'body',
    'The parameters are sent as application/x-www-form-urlencoded.',
  ),
  wrong(
    'repeated',
    'A parameter is sent more than once.',
    'body',
    'A parameter is sent more than once.',
  ),
  wrong(
    'several-ways',
    'A client authenticates in several ways.',
    'client_id',
    'Authenticate in one way, not in several.',
  ),
];

export const unknownClient = answer(
  'unauthenticated.client',
  Unauthenticated.description,
  clientWords.unauthenticated(new Unauthenticated('unknown')),
);

/** How whoever asks about a token, or revokes one, is told no. */
export const callersToldNo = (permission: string): readonly Answer[] => {
  const denied = new PermissionDenied([permission]);
  const unknown = new Unauthenticated('unknown');
  const { description: what } = Unauthenticated;
  return [
    answer('unauthenticated.missing', what, anonymous(new Unauthenticated('missing'))),
    unknownClient,
    answer('unauthenticated.token', what, bearerWords.unauthenticated(unknown)),
    answer('permission-denied', PermissionDenied.description, clientWords.denied(denied)),
    answer('permission-denied', PermissionDenied.description, bearerWords.denied(denied)),
  ];
};

export const noToken = wrong(
  'token',
  InvalidInput.description,
  'token',
  'The parameter token is missing.',
);
