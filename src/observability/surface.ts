import { GRAPHQL_PATH } from '../graphql/path.ts';

/** The surface that a route belongs to: the paths of the products are all of `rest`. */
export function surfaceOf(route: string | undefined): 'graphql' | 'oauth' | 'feed' | 'rest' {
  if (route === GRAPHQL_PATH) return 'graphql';
  if (route?.startsWith('/oauth/') || route?.startsWith('/.well-known/')) return 'oauth';
  return route?.startsWith('/feed') ? 'feed' : 'rest';
}
