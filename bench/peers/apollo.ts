import { ApolloServer, HeaderMap } from '@apollo/server';
import type { Given } from '../contestant.ts';
import { listen, readBody } from '../http-server.ts';
import type { Names } from '../replay.ts';
import { contextOf, openResolvers, typeDefs } from './revoke-api-key.ts';

/** Apollo Server on bare `node:http`, without the integration with a web framework that it usually has. */
export async function serve(given: Given): Promise<number> {
  const apollo = new ApolloServer<Names>({ typeDefs, resolvers: openResolvers(given) });
  await apollo.start();
  return await listen((request, response) =>
    readBody(request, async (text) => {
      const headers = new HeaderMap();
      for (const [name, value] of Object.entries(request.headers)) headers.set(name, `${value}`);
      const body = JSON.parse(text);
      const answer = await apollo.executeHTTPGraphQLRequest({
        httpGraphQLRequest: { method: 'POST', headers, search: '', body },
        context: async () => contextOf(request.headers.authorization),
      });
      const said = answer.body.kind === 'complete' ? answer.body.string : '';
      for (const [name, value] of answer.headers) response.setHeader(name, value);
      response.setHeader('content-length', Buffer.byteLength(said));
      response.writeHead(answer.status ?? 200).end(said);
    }),
  );
}
