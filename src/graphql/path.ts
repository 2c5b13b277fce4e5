/** Where GraphQL is. */
export const GRAPHQL_PATH = '/graphql';

/** The methods that it takes. */
export const GRAPHQL_METHODS = ['GET', 'POST'] as const;
