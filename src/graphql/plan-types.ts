import { inspect } from 'cross-inspect';
import {
  type FieldNode,
  type GraphQLAbstractType,
  GraphQLError,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  isObjectType,
} from 'graphql';

/** The type that a value of an abstract type is said to have, if it can have that. */
export function concreteType(
  abstract: GraphQLAbstractType,
  named: unknown,
  nodes: readonly FieldNode[],
  { schema, parentType, fieldName }: GraphQLResolveInfo,
  value: unknown,
): GraphQLObjectType {
  const type = typeof named === 'string' ? schema.getType(named) : undefined;
  if (isObjectType(type) && schema.isSubType(abstract, type)) return type;

  const must = `Abstract type "${abstract.name}" must resolve to an Object type at runtime for field "${parentType.name}.${fieldName}"`;
  const was = `Abstract type "${abstract.name}" was resolved to a`;
  if (named == null) {
    throw new GraphQLError(
      `${must}. Either the "${abstract.name}" type should provide a "resolveType" function or each possible type should provide an "isTypeOf" function.`,
      { nodes },
    );
  }
  if (isObjectType(named)) {
    throw new GraphQLError(
      'Support for returning GraphQLObjectType from resolveType was removed in graphql-js@16.0.0 please return type name instead.',
    );
  }
  if (typeof named !== 'string') {
    throw new GraphQLError(`${must} with value ${inspect(value)}, received "${inspect(named)}".`);
  }
  if (type === undefined) {
    throw new GraphQLError(`${was} type "${named}" that does not exist inside the schema.`, {
      nodes,
    });
  }
  if (!isObjectType(type)) {
    throw new GraphQLError(`${was} non-object type "${named}".`, { nodes });
  }
  const message = `Runtime Object type "${type.name}" is not a possible type for "${abstract.name}".`;
  throw new GraphQLError(message, { nodes });
}
