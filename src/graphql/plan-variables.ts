import {
  coerceInputValue,
  type GraphQLSchema,
  isInputType,
  isNonNullType,
  type OperationDefinitionNode,
  typeFromAST,
  type VariableValues,
  valueFromAST,
} from 'graphql';

type Source = VariableValues['sources'][string];

/** Reads the variables of an operation; undefined where they are no good, or have yet to be looked at closer. */
export type ReadVariables = (
  given: Readonly<Record<string, unknown>>,
) => VariableValues | undefined;

/** As `getVariableValues` of @graphql-tools/executor does, with what is the same each time found once. */
export function variablesReader(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
): ReadVariables {
  const signatures = variableDefinitions.map(({ variable, type: node, defaultValue }) => {
    const type = typeFromAST(schema, node);
    if (!isInputType(type)) return undefined;
    const literal = defaultValue && { literal: defaultValue };
    return { name: variable.name.value, type, default: literal } satisfies Source['signature'];
  });
  return (given) => {
    const coerced: Record<string, unknown> = {};
    const sources: Record<string, Source> = {};
    for (const signature of signatures) {
      if (signature === undefined) return undefined;
      const { name, type } = signature;
      if (Object.hasOwn(given, name)) {
        const value = given[name];
        const read = coerceInputValue(value, type);
        if (read === undefined) return undefined;
        coerced[name] = read;
        sources[name] = { signature, value };
      } else {
        if (signature.default !== undefined) {
          coerced[name] = valueFromAST(signature.default.literal, type);
        } else if (isNonNullType(type)) return undefined;
        sources[name] = { signature };
      }
    }
    return { coerced, sources };
  };
}
