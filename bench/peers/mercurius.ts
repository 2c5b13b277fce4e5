import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import mercurius from 'mercurius';
import type { Given } from '../contestant.ts';
import { contextOf, openResolvers, typeDefs } from './revoke-api-key.ts';

/** Mercurius with JIT from the first request on, on the Fastify that the gateway has. */
export async function serve(given: Given): Promise<number> {
  const app = Fastify();
  await app.register(mercurius, {
    schema: typeDefs,
    resolvers: openResolvers(given),
    jit: 1,
    graphiql: false,
    context: ({ headers }) => contextOf(headers.authorization),
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return (app.server.address() as AddressInfo).port;
}
