import fc from 'fast-check';
import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isUnionType,
} from 'graphql';

/** Documents and variables for whatever a schema has. */

/** A field that takes arguments, and the document that asks for it. */
export interface Asked {
  /** `Query.me`, as one would say it. */
  readonly name: string;
  readonly document: string;
  readonly variables: readonly GraphQLArgument[];
}

/** All that a type shows by itself, and what lies just below it. */
function selection(schema: GraphQLSchema, type: GraphQLOutputType, depth: number): string {
  const named = getNamedType(type);
  if (!isCompositeType(named)) return '';
  if (isUnionType(named)) {
    const each = named
      .getTypes()
      .map((one) => `... on ${one.name} ${selection(schema, one, depth)}`);
    return `{ __typename ${each.join(' ')} }`;
  }
  const shown = Object.values(named.getFields()).flatMap((field) => {
    const below = getNamedType(field.type);
    if (field.args.some(isRequiredArgument)) return [];
    if (!isCompositeType(below)) return [field.name];
    return depth > 0 ? [`${field.name} ${selection(schema, below, depth - 1)}`] : [];
  });
  return `{ __typename ${shown.join(' ')} }`;
}

type Within = (inner: string) => string;

/** Every field of queries, mutations and subscriptions that takes arguments. */
export function fieldsWithArguments(schema: GraphQLSchema): Asked[] {
  const found: Asked[] = [];
  const seen = new Set<GraphQLNamedType>();
  const roots = [
    ['query', schema.getQueryType()],
    ['mutation', schema.getMutationType()],
    ['subscription', schema.getSubscriptionType()],
  ] as const;
  for (const [operation, root] of roots) {
    let waiting: [GraphQLNamedType | null | undefined, Within][] = [[root, (inner) => inner]];
    while (waiting.length > 0) {
      const next: typeof waiting = [];
      for (const [type, within] of waiting) {
        if (!isCompositeType(type) || seen.has(type)) continue;
        seen.add(type);
        if (!isObjectType(type)) {
          for (const one of schema.getPossibleTypes(type)) {
            next.push([one, (inner) => within(`... on ${one.name} { ${inner} }`)]);
          }
          continue;
        }
        for (const field of Object.values(type.getFields())) {
          if (field.args.length > 0) found.push(ask(schema, operation, type.name, field, within));
          // What a mutation shows is seen by asking for it.
          if (operation !== 'query' || field.args.some(isRequiredArgument)) continue;
          next.push([getNamedType(field.type), (inner) => within(`${field.name} { ${inner} }`)]);
        }
      }
      waiting = next;
    }
  }
  return found;
}

function ask(
  schema: GraphQLSchema,
  operation: string,
  typeName: string,
  { name, args, type }: GraphQLField<unknown, unknown>,
  within: Within,
): Asked {
  const declared = args.map((one) => `$${one.name}: ${one.type}`).join(', ');
  const given = args.map((one) => `${one.name}: $${one.name}`).join(', ');
  const depth = operation === 'query' ? 2 : 1;
  const field = `${name}(${given}) ${selection(schema, type, depth)}`;
  return {
    name: `${typeName}.${name}`,
    document: `${operation} (${declared}) { ${within(field)} }`,
    variables: args,
  };
}

/** Values for an input of a type, most of which fit; `known` are some that mean something. */
export function valuesFor(
  type: GraphQLInputType,
  texts: fc.Arbitrary<string>,
  known: unknown,
): fc.Arbitrary<unknown> {
  if (isNonNullType(type)) return valuesFor(type.ofType, texts, known);
  const kept = known === undefined ? [] : [{ weight: 3, arbitrary: fc.constant(known) }];
  if (isListType(type)) {
    const one = valuesFor(type.ofType, texts, undefined);
    return fc.oneof(...kept, { weight: 2, arbitrary: fc.array(one, { maxLength: 3 }) }, one);
  }
  if (isEnumType(type)) {
    return fc.oneof(...kept, fc.constantFrom(...type.getValues().map(({ name }) => name)), texts);
  }
  if (isInputObjectType(type)) return objectsFor(type.getFields(), texts, known ?? {});
  const scalars: Record<string, fc.Arbitrary<unknown>> = {
    Int: fc.oneof(fc.constantFrom(0, 1, -1, 100, 101, 2 ** 31 - 1, 2 ** 31, 1.5), fc.integer()),
    Boolean: fc.boolean(),
  };
  return fc.oneof(...kept, { weight: 3, arbitrary: scalars[type.name] ?? texts });
}

/** Objects with values for these fields; what need not be there is sometimes not. */
export function objectsFor(
  fields: Readonly<Record<string, { readonly type: GraphQLInputType }>>,
  texts: fc.Arbitrary<string>,
  known: object,
): fc.Arbitrary<object> {
  const of = known as Record<string, unknown>;
  const values = Object.entries(fields).map(
    ([name, { type }]) => [name, valuesFor(type, texts, of[name])] as const,
  );
  const requiredKeys = Object.entries(fields)
    .filter(([name, { type }]) => isNonNullType(type) || of[name] !== undefined)
    .map(([name]) => name);
  return fc.record(Object.fromEntries(values), { requiredKeys });
}
