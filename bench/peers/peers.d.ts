/** As much of the peers as is used here: their packages are installed by `npm run bench` alone. */

declare module 'mercurius' {
  import type { FastifyPluginAsync, FastifyRequest } from 'fastify';

  const mercurius: FastifyPluginAsync<{
    schema: string;
    resolvers: object;
    jit: number;
    graphiql: boolean;
    context: (request: FastifyRequest) => object;
  }>;
  export default mercurius;
}

declare module '@apollo/server' {
  export class HeaderMap extends Map<string, string> {}

  export class ApolloServer<Context> {
    constructor(options: { typeDefs: string; resolvers: object });
    start(): Promise<void>;
    executeHTTPGraphQLRequest(asked: {
      httpGraphQLRequest: { method: string; headers: HeaderMap; search: string; body: unknown };
      context: () => Promise<Context>;
    }): Promise<{
      status?: number;
      headers: HeaderMap;
      body: { kind: 'complete'; string: string } | { kind: 'chunked' };
    }>;
  }
}

declare module 'oidc-provider' {
  import type { RequestListener } from 'node:http';

  export interface Payload {
    readonly jti: string;
    readonly exp: number;
  }

  export default class Provider {
    constructor(issuer: string, configuration: object);
    callback(): RequestListener;
    readonly Client: { find(id: string): Promise<object | undefined> };
    readonly ClientCredentials: new (given: {
      client: object | undefined;
      scope: string;
    }) => { save(ttl?: number): Promise<string> };
  }
}

declare module 'better-auth' {
  export interface Auth {
    readonly options: object;
    readonly api: {
      signUpEmail(asked: { body: object; asResponse: true }): Promise<Response>;
      createApiKey(asked: { body: object; headers: Headers }): Promise<{ readonly id: string }>;
      verifyApiKey(asked: { body: { key: string } }): Promise<{ readonly valid: boolean }>;
    };
  }

  export function betterAuth(options: object): Auth;
}

declare module 'better-auth/db/migration' {
  export function getMigrations(options: object): Promise<{ runMigrations(): Promise<void> }>;
}

declare module 'better-auth/node' {
  import type { RequestListener } from 'node:http';
  import type { Auth } from 'better-auth';

  export function toNodeHandler(auth: Auth): RequestListener;
}

declare module '@better-auth/api-key' {
  export function apiKey(options: object): object;
}
