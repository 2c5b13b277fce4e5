import { GraphQLError } from 'graphql';

/** An error that is answered with 400, whatever the client accepts. */
export const badRequest = (message: string): GraphQLError =>
  new GraphQLError(message, {
    extensions: { code: 'BAD_REQUEST', http: { status: 400, spec: false } },
  });
