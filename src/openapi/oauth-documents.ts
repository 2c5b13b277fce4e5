import { metadataOf } from '../oauth/metadata.ts';
import { oauthPaths } from '../oauth/paths.ts';
import { json } from '../rest/dialect.ts';
import { gatewayAnswers } from '../rest/dialects/gateway.ts';
import { type JsonSchema, listOf, object, text, url } from '../rest/json-schema.ts';
import { generalAnswers } from './general.ts';
import { type Answer, type Operation, schemaNamed } from './operation.ts';

const words = listOf(text);

const metadataBody = object({
  issuer: url,
  jwks_uri: url,
  scopes_supported: words,
  response_types_supported: words,
  grant_types_supported: words,
  token_endpoint: url,
  token_endpoint_auth_methods_supported: words,
  token_endpoint_auth_signing_alg_values_supported: words,
  introspection_endpoint: url,
  introspection_endpoint_auth_methods_supported: words,
  introspection_endpoint_auth_signing_alg_values_supported: words,
  introspection_signing_alg_values_supported: words,
  revocation_endpoint: url,
  revocation_endpoint_auth_methods_supported: words,
  revocation_endpoint_auth_signing_alg_values_supported: words,
});

const keysBody = object({
  keys: listOf(object({ kty: text, crv: text, x: text, kid: text, alg: text, use: text })),
});

/** What clients read of the gateway before they ask anything of it. */
export function oauthDocuments(publicUrl: string): Operation[] {
  const metadata = document({
    path: oauthPaths.metadata,
    operationId: 'getOauthMetadata',
    summary: 'Read what a client must know of this gateway',
    description: 'RFC 8414.',
    ...{ type: 'application/json', body: metadataBody, example: metadataOf(publicUrl) },
    fails: false,
  });
  const keys = document({
    path: oauthPaths.keys,
    operationId: 'getKeys',
    summary: 'Read the keys with which this gateway signs',
    description: 'RFC 7517, the newest first.',
    ...{ type: 'application/jwk-set+json', body: keysBody, example: exampleKeys },
    fails: true,
  });
  const { origin, pathname } = new URL(publicUrl);
  // An issuer with a path has it behind the well-known part (RFC 8414, 3.1), outside its own path.
  const behind = {
    ...metadata,
    path: oauthPaths.metadata + pathname,
    operationId: `${metadata.operationId}OfPath`,
    server: origin,
  };
  return [metadata, ...(pathname === '/' ? [] : [behind]), keys];
}

const exampleKeys = {
  keys: [
    {
      ...{ crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', kty: 'OKP' },
      ...{ kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k', alg: 'EdDSA', use: 'sig' },
    },
  ],
};

function document({
  type,
  body,
  example,
  fails,
  ...said
}: Pick<Operation, 'path' | 'operationId' | 'summary' | 'description'> & {
  readonly type: string;
  readonly body: JsonSchema;
  readonly example: object;
  readonly fails: boolean;
}): Operation {
  const method = 'GET';
  const done: Answer = {
    ...{ name: 'done', what: 'It.', reply: json(200, type, example), schema: body },
  };
  return {
    ...{ ...said, method, tag: 'OAuth', security: [] },
    answers: [
      done,
      ...generalAnswers({
        ...{ method, path: said.path, words: gatewayAnswers, prefix: '/', fails },
        schema: schemaNamed('Problem'),
      }),
    ],
  };
}
