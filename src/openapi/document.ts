import type { Config } from '../config.ts';
import { problemBody } from '../rest/dialects/gateway.ts';
import type { JsonSchema } from '../rest/json-schema.ts';
import type { RestRoute } from '../rest/route.ts';
import { feedOperations, feedSchemas } from './feed.ts';
import { gatewayOperations } from './gateway.ts';
import { graphqlOperations, graphqlSchemas } from './graphql.ts';
import { oauthOperations } from './oauth.ts';
import { oauthSchemas } from './oauth-answers.ts';
import type { Operation } from './operation.ts';
import { headersIn } from './responses.ts';
import { errorName, operationsOf } from './rest.ts';
import { type SharedResponses, sharedResponsesOf } from './shared-responses.ts';
import { type StaticFile, staticFile } from './static-file.ts';

/** What the document is made from. */
export interface DocumentOptions {
  /** The routes that the server mounts. */
  readonly routes: readonly RestRoute[];
  readonly publicUrl: string;
  readonly profile: Config['profile'];
}

/** The version of the package, which a test holds against it. */
const VERSION = '0.1.0';

/** The same as it is served. */
export const openapiFile = (options: DocumentOptions): StaticFile =>
  staticFile('application/json', JSON.stringify(documentOf(options)));

/** The OpenAPI document of everything that is mounted. */
export function documentOf({ routes, publicUrl, profile }: DocumentOptions): object {
  const operations = [
    ...routes.flatMap(operationsOf),
    ...oauthOperations(publicUrl),
    ...feedOperations(),
    ...graphqlOperations(profile),
    ...gatewayOperations(profile),
  ];
  const responses = sharedResponsesOf(operations);
  const headers = headersIn(operations.flatMap(({ answers }) => answers));
  const dialects = [...new Set(routes.map(({ dialect }) => dialect))];
  const vendorSchemas = dialects.map((dialect) => [errorName(dialect), dialect.errorBody]);
  const vendors = dialects.map(({ vendor }) => ({
    name: vendor,
    description: `Paths of ${vendor}, in its words.`,
  }));
  const schemas: Record<string, JsonSchema> = {
    ...Object.fromEntries(vendorSchemas),
    ...{ Problem: problemBody, ...oauthSchemas, ...feedSchemas, ...graphqlSchemas },
  };
  return {
    openapi: '3.1.1',
    info: {
      title: 'Revocation gateway',
      version: VERSION,
      description,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: publicUrl, description: 'This gateway' }],
    tags: [...vendors, ...tags],
    paths: pathsOf(operations, responses),
    components: { securitySchemes, headers, responses: responses.components, schemas },
  };
}

const description = [
  'Issues, checks and revokes machine credentials. What is revoked is refused on the next request.',
  'Paths that are read with GET are answered to HEAD, too. OPTIONS is answered with 204 and Allow, and any other method with 405 and Allow.',
  'Bodies of REST requests are read as JSON, whatever their content type; the path of a revocation says all, so its body is not read.',
].join('\n\n');

const tags = [
  { name: 'OAuth', description: 'RFC 6749, 7009, 7662, 8414 and 9701.' },
  { name: 'Feed', description: 'For enforcement points: what has ended, as it happens.' },
  { name: 'GraphQL', description: 'Everything else, in schema.graphql.' },
  { name: 'Gateway', description: 'Its health, and this description.' },
];

const securitySchemes = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description:
      'A JWT of this gateway or of an issuer that it trusts, a personal access token, an access token, or a service account token. What is named beside it are the permissions that are needed.',
  },
  client: {
    type: 'http',
    scheme: 'basic',
    description: 'An OAuth client: its id and its secret.',
  },
  enforcementPoint: {
    type: 'http',
    scheme: 'bearer',
    description: 'The token of an enforcement point.',
  },
};

function pathsOf(operations: readonly Operation[], responses: SharedResponses): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of operations) {
    const { path, method, server } = operation;
    paths[path] ??= server === undefined ? {} : { servers: [{ url: server }] };
    paths[path][method.toLowerCase()] = objectOf(operation, responses.of(operation));
  }
  return paths;
}

function objectOf(operation: Operation, responses: object): object {
  const { tag, operationId, summary, parameters = [], requestBody, security } = operation;
  return {
    tags: [tag],
    operationId,
    summary,
    ...(operation.description && { description: operation.description }),
    security,
    ...(parameters.length > 0 && { parameters }),
    ...(requestBody && { requestBody: bodyOf(requestBody) }),
    responses,
  };
}

const bodyOf = ({ type, required, schema, example }: NonNullable<Operation['requestBody']>) => ({
  required,
  content: { [type]: { schema, example } },
});
