import type { RevocableGraph } from '../graphql/revocation.ts';
import type { RestRoute } from '../rest/route.ts';
import { accessTokenGraph } from './access-token/graphql.ts';
import { accessTokenRest } from './access-token/rest.ts';
import { apiKeyGraph } from './api-key/graphql.ts';
import { apiKeyRest } from './api-key/rest.ts';
import { jwkValidationGraph } from './jwk-validation/graphql.ts';
import { jwkValidationRest } from './jwk-validation/rest.ts';
import { jwtAuthGraph } from './jwt-auth/graphql.ts';
import { jwtAuthRest } from './jwt-auth/rest.ts';
import { personalAccessTokenGraph } from './personal-access-token/graphql.ts';
import { serviceAccountTokenGraph } from './service-account-token/graphql.ts';
import { serviceAccountTokenRest } from './service-account-token/rest.ts';

/** A kind of credential on its surfaces. */
export interface AnyCredential {
  readonly graph: RevocableGraph;
  /** Where an existing product has a path for it. */
  readonly rest?: RestRoute;
}

/** Every kind of credential that can be revoked. */
export const credentials: readonly AnyCredential[] = [
  { graph: jwtAuthGraph, rest: jwtAuthRest },
  { graph: accessTokenGraph, rest: accessTokenRest },
  { graph: apiKeyGraph, rest: apiKeyRest },
  { graph: serviceAccountTokenGraph, rest: serviceAccountTokenRest },
  { graph: jwkValidationGraph, rest: jwkValidationRest },
  { graph: personalAccessTokenGraph },
];
