import type { GraphMutation } from '../graphql/change.ts';
import type { RevocableGraph } from '../graphql/revocation.ts';
import type { RestRoute } from '../rest/route.ts';
import { accessTokenGraph, createTokenGraph, renameTokenGraph } from './access-token/graphql.ts';
import { accessTokenRest } from './access-token/rest.ts';
import { createTokenRest, listTokensRest } from './access-token/rest-issue.ts';
import { apiKeyGraph, createApiKeyGraph } from './api-key/graphql.ts';
import { apiKeyRest } from './api-key/rest.ts';
import { createApiKeyRest, listApiKeysRest } from './api-key/rest-issue.ts';
import { applicationGraph, createApplicationGraph } from './application/graphql.ts';
import { createEnforcementPointGraph, enforcementPointGraph } from './enforcement-point/graphql.ts';
import {
  createGatewayCredentialGraph,
  gatewayCredentialGraph,
} from './gateway-credential/graphql.ts';
import { createIdentityGraph, identityGraph } from './identity/graphql.ts';
import { createJwkGraph, jwkGraph } from './jwk/graphql.ts';
import { assignJwkEncryptionGraph, jwkEncryptionGraph } from './jwk-encryption/graphql.ts';
import { assignJwkValidationGraph, jwkValidationGraph } from './jwk-validation/graphql.ts';
import { assignJwkValidationRest, jwkValidationRest } from './jwk-validation/rest.ts';
import { attachJwtAuthGraph, updateJwtAuthGraph } from './jwt-auth/attach-graph.ts';
import { jwtAuthGraph } from './jwt-auth/graphql.ts';
import { jwtAuthRest } from './jwt-auth/rest.ts';
import { jwtLoginRest } from './jwt-auth/rest-login.ts';
import { createOauthClientGraph, oauthClientGraph } from './oauth-client/graphql.ts';
import {
  createPersonalAccessTokenGraph,
  personalAccessTokenGraph,
} from './personal-access-token/graphql.ts';
import { createServiceAccountGraph, serviceAccountGraph } from './service-account/graphql.ts';
import {
  createServiceAccountTokenGraph,
  serviceAccountTokenGraph,
} from './service-account-token/graphql.ts';
import { serviceAccountTokenRest } from './service-account-token/rest.ts';
import {
  createServiceAccountTokenRest,
  listServiceAccountTokensRest,
} from './service-account-token/rest-issue.ts';
import { attachTokenAuthGraph, tokenAuthGraph } from './token-auth/graphql.ts';

/** A kind of credential on its surfaces. */
export interface AnyCredential {
  readonly graph: RevocableGraph;
  /** Where an existing product has a path for its revocation. */
  readonly rest?: RestRoute;
  /** What else can be done with it in the graph. */
  readonly mutations?: readonly GraphMutation[];
  /** What else an existing product's clients ask for. */
  readonly routes?: readonly RestRoute[];
}

/** Every kind of credential that can be revoked, and what owns credentials. */
export const credentials: readonly AnyCredential[] = [
  {
    graph: jwtAuthGraph,
    rest: jwtAuthRest,
    mutations: [attachJwtAuthGraph, updateJwtAuthGraph],
    routes: [jwtLoginRest],
  },
  {
    graph: accessTokenGraph,
    rest: accessTokenRest,
    mutations: [createTokenGraph, renameTokenGraph],
    routes: [createTokenRest, listTokensRest],
  },
  {
    graph: apiKeyGraph,
    rest: apiKeyRest,
    mutations: [createApiKeyGraph],
    routes: [createApiKeyRest, listApiKeysRest],
  },
  {
    graph: serviceAccountTokenGraph,
    rest: serviceAccountTokenRest,
    mutations: [createServiceAccountTokenGraph],
    routes: [createServiceAccountTokenRest, listServiceAccountTokensRest],
  },
  {
    graph: jwkValidationGraph,
    rest: jwkValidationRest,
    mutations: [assignJwkValidationGraph],
    routes: [assignJwkValidationRest],
  },
  { graph: personalAccessTokenGraph, mutations: [createPersonalAccessTokenGraph] },
  { graph: oauthClientGraph, mutations: [createOauthClientGraph] },
  { graph: tokenAuthGraph, mutations: [attachTokenAuthGraph] },
  { graph: jwkEncryptionGraph, mutations: [assignJwkEncryptionGraph] },
  { graph: identityGraph, mutations: [createIdentityGraph] },
  { graph: applicationGraph, mutations: [createApplicationGraph] },
  { graph: serviceAccountGraph, mutations: [createServiceAccountGraph] },
  { graph: gatewayCredentialGraph, mutations: [createGatewayCredentialGraph] },
  { graph: jwkGraph, mutations: [createJwkGraph] },
  { graph: enforcementPointGraph, mutations: [createEnforcementPointGraph] },
];
