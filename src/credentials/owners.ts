import type { GraphMutation } from '../graphql/change.ts';
import type { TypeSpec } from '../graphql/types.ts';
import { createOrganizationGraph, organizationType } from './organization/graphql.ts';
import { createEnvironmentGraph } from './project/environment-graph.ts';
import { createProjectGraph, projectType } from './project/graphql.ts';
import { revokeTrustedTokensGraph } from './trusted-token/graphql.ts';

/** What only owns credentials: shown and made, but not revoked by a mutation. */
export const owners: readonly {
  readonly graph: TypeSpec;
  readonly mutations: readonly GraphMutation[];
}[] = [
  { graph: organizationType, mutations: [createOrganizationGraph, revokeTrustedTokensGraph] },
  { graph: projectType, mutations: [createProjectGraph, createEnvironmentGraph] },
];
