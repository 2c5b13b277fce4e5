import { assertValidSchema, type GraphQLSchema } from 'graphql';
import type { AnyCredential } from '../credentials/kinds.ts';
import { owners } from '../credentials/owners.ts';
import { revokeManyGraph } from '../credentials/revoke-many-graph.ts';
import type { RefusalClass } from '../refusals.ts';
import { addEffect } from '../targets/effect-field.ts';
import { addTargets } from '../targets/list.ts';
import { targetMutations } from '../targets/mutations.ts';
import { createBuilder } from './builder.ts';
import { addErrors } from './errors.ts';
import { addLedger } from './ledger.ts';
import { addMe } from './me.ts';
import { always } from './mutation.ts';
import { addRevocationSuccess } from './revocation.ts';
import { pricePages } from './size.ts';
import { addSubscription } from './subscription.ts';
import { addLists, addTypes } from './types.ts';

const built = new WeakMap<readonly AnyCredential[], GraphQLSchema>();

/** The schema of these kinds, which is built once: it keeps nothing of a gateway. */
export function schemaOf(credentials: readonly AnyCredential[]): GraphQLSchema {
  const schema = built.get(credentials) ?? buildSchema(credentials);
  built.set(credentials, schema);
  return schema;
}

/** The schema: what all kinds share, then each kind's own part. */
export function buildSchema(credentials: readonly AnyCredential[]): GraphQLSchema {
  const builder = createBuilder();
  const graphs = credentials.map(({ graph }) => graph);
  const specs = [...owners.map(({ graph }) => graph), ...graphs];
  const mutations = [
    ...[...owners, ...credentials].flatMap((each) => each.mutations ?? []),
    revokeManyGraph(graphs),
    ...targetMutations,
  ];
  const refusals = new Set<RefusalClass>([
    ...always,
    ...graphs.flatMap((graph) => graph.operation.refusals),
    ...mutations.flatMap(({ refusals }) => refusals),
  ]);

  const { error, errors } = addErrors(builder, refusals);
  const types = addTypes(builder, specs);
  const me = addMe(builder, specs, types);
  addLists(builder, specs, types, me);
  addTargets(builder, types, me);
  const { revocation } = addLedger(builder, specs, types, me);
  addEffect(builder, types, revocation);
  addSubscription(builder, types, revocation);
  builder.mutationType({ description: 'What can be changed.' });
  const success = addRevocationSuccess(builder, revocation);
  const shared = { types, revocation, success, error };
  for (const graph of graphs) graph.addTo(builder, errors, shared);
  for (const mutation of mutations) mutation.addTo(builder, errors, shared);
  const schema = builder.toSchema();
  assertValidSchema(schema);
  pricePages(schema);
  return schema;
}
