import {
  buildSchema,
  GraphQLError,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  isAbstractType,
  isEnumType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  responsePathAsArray,
} from 'graphql';

/** What resolvers of the odd graph work with: what they do depends on the seed and their place alone. */
export interface Odd {
  readonly seed: number;
  /** Every call, with all that it was told. */
  readonly calls: string[];
}

/** Numbers that look like chance. */
export interface Chance {
  (): number;
  /** Nothing goes wrong. */
  readonly calm: boolean;
}

/** Chance that is the same for the same text. */
export function chance(text: string, calm = false): Chance {
  let state = 2166136261;
  for (const char of text) state = Math.imul(state ^ char.charCodeAt(0), 16777619);
  const next = () => {
    state = Math.imul(state ^ (state >>> 15), 2246822519) + 0x9e3779b9;
    const mixed = Math.imul(state ^ (state >>> 13), 3266489917);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
  return Object.assign(next, { calm });
}

/** One of several, by chance. */
export const oneOf = <T>(next: Chance, ...choices: readonly T[]): T =>
  choices[Math.floor(next() * choices.length)] as T;

/** One of several; something else now and then, unless all is calm. */
export const mostly = (
  next: Chance,
  good: readonly unknown[],
  ...others: readonly unknown[]
): unknown => oneOf(next, ...(next.calm || next() < 0.85 ? good : others));

const fields = `
  id: ID!
  name: String
  must: String!
  color: Color
  odd: Odd
  plain: String
  call: Int!
  numbers(in: In, limit: Int! = 2): [Int!]
  matrix: [[Color]!]
  echo(text: String = "none", in: In, must: String! = "x", list: [In!], color: Color = RED): String
  need(text: String!): String!
`;
const links = `
  self: Node
  sure: Node!
  nodes: [Node]
  sureNodes: [Node!]!
  either: Either
  eithers: [Either!]
  a: A
  b: B!
`;

/** A schema of which nothing can be relied on. */
export const oddSchema: GraphQLSchema = buildSchema(`
  scalar Odd
  enum Color { RED GREEN }
  input In { text: String!, n: Int = 3, colors: [Color!], in: In }
  interface Node { ${fields} ${links} }
  interface Named implements Node { ${fields} ${links} }
  type A implements Node & Named { ${fields} ${links} }
  type B implements Node & Named { ${fields} ${links} }
  type C implements Node { ${fields} ${links} }
  type Other { id: ID! }
  union Either = A | B | Other
  type Query { ${fields} ${links} }
  type Mutation { ${fields} ${links} }
  type Subscription { id: ID! }
`);

const called = ({ calls }: Odd, what: string, info: GraphQLResolveInfo, more?: unknown) => {
  const { fieldName, fieldNodes, parentType, returnType, path, operation, schema } = info;
  const place = responsePathAsArray(path).join('.');
  const told = [fieldName, fieldNodes.length, parentType, returnType, path.typename];
  const whole = [operation.name?.value, Object.keys(info.fragments), info.variableValues.coerced];
  const same = [schema === oddSchema, info.rootValue === undefined, Object.keys(info).sort()];
  calls.push(JSON.stringify([what, place, told, whole, same, more]));
  return place;
};

for (const type of Object.values(oddSchema.getTypeMap())) {
  if (type.name.startsWith('__')) continue;
  if (type.name === 'Odd') Object.assign(type, { serialize: serializeOdd });
  // One of them has only what types say of themselves.
  if (isAbstractType(type) && type.name !== 'Named') type.resolveType = resolveType;
  if (!isObjectType(type)) continue;
  if (type.name === 'A' || type.name === 'B') type.isTypeOf = isTypeOf(type);
  for (const field of Object.values(type.getFields())) {
    if (['plain', 'call'].includes(field.name)) continue;
    field.resolve = (_source, args, odd: Odd, info) => {
      const place = called(odd, 'resolve', info, args);
      const next = chance(`${odd.seed} ${place}`, odd.seed % 3 === 0);
      return outcome(next, () => anyOf(next, field.type));
    };
  }
}

function resolveType(value: unknown, odd: Odd, info: GraphQLResolveInfo): never {
  called(odd, 'type', info);
  const { named, later } = value as { named: unknown; later: boolean };
  return (later ? Promise.resolve(named) : named) as never;
}

function isTypeOf(type: GraphQLObjectType) {
  return (value: unknown, odd: Odd, info: GraphQLResolveInfo): Promise<boolean> | boolean => {
    called(odd, 'is', info);
    const { is, named, later } = value as { is?: boolean; named?: unknown; later: boolean };
    const answer = (is ?? (named === undefined || named === type.name)) as boolean;
    return later ? Promise.resolve(answer) : answer;
  };
}

function serializeOdd(value: unknown): unknown {
  if (value === 'throws') throw new Error('cannot be told');
  if (value === 'refuses') throw new GraphQLError('is not told', { extensions: { code: 'NO' } });
  return value === 'nothing' ? undefined : value;
}

/** What calling a resolver comes to. */
function outcome(next: Chance, value: () => unknown): unknown {
  const kind = next() * (next.calm ? 0.9 : 1);
  if (kind < 0.6) return value();
  if (kind < 0.9) return later(next, value);
  if (kind < 0.92) return null;
  if (kind < 0.96) throw failure(next);
  return failure(next);
}

async function later(next: Chance, value: () => unknown): Promise<unknown> {
  for (let ticks = Math.floor(next() * 6); ticks > 0; ticks--) await undefined;
  if (!next.calm && next() < 0.08) throw failure(next);
  return value();
}

function failure(next: Chance): unknown {
  return oneOf<() => unknown>(
    next,
    () => new Error('fault'),
    () => new GraphQLError('refused', { extensions: { code: 'NO' } }),
    () => new GraphQLError('elsewhere', { path: ['else', 1] }),
    () => new AggregateError([new Error('one'), 'two', new GraphQLError('three')], 'several'),
    () => new AggregateError([], 'none'),
    () => Object.assign(new Error('several of its own'), { errors: [new GraphQLError('inner')] }),
    () => ({ message: 'like an error', cause: 1, stack: 'here', name: 'Alike' }),
    () => ({ message: 1 }),
    () => 'a text',
    () => undefined,
  )();
}

function anyOf(next: Chance, type: GraphQLOutputType): unknown {
  if (isNonNullType(type)) {
    return next.calm || next() < 0.95 ? anyOf(next, type.ofType) : undefined;
  }
  if (isListType(type)) return listOf(next, type.ofType);
  if (isEnumType(type)) return mostly(next, ['RED', 'GREEN'], 'BLUE', 1);
  switch (type.name) {
    case 'Odd':
      return mostly(next, ['good', 0, { a: [1] }, false], 'throws', 'refuses', 'nothing');
    case 'Int':
      return mostly(next, [1, 2, true, '4'], 1.5, 'five', 2 ** 40, {});
    case 'String':
    case 'ID':
      return mostly(next, ['text', 'text', 7], true, {}, Symbol.iterator);
    default:
      return objectOf(next, type.name);
  }
}

function objectOf(next: Chance, type: string): unknown {
  const plain = oneOf<unknown>(next, 'as it is', () => 'called', Promise.resolve('late'), null);
  const call = function (this: unknown, args: object, odd: Odd, info: GraphQLResolveInfo) {
    called(odd, 'call', info, [args, this !== undefined]);
    return outcome(next, () => 1);
  };
  const usual = { plain, call: next() < 0.8 ? call : 2, later: next() < 0.2 };
  if (type === 'A' || type === 'B') return { ...usual, is: mostly(next, [true], false, undefined) };
  const names = ['A', 'B', type === 'Either' ? 'Other' : 'C'];
  const odd = ['Query', 'Nowhere', 'Node', 'In', undefined, null, 1, {}, oddSchema.getType('A')];
  return mostly(next, [{ ...usual, named: mostly(next, names, ...odd) }], 'a text');
}

function listOf(next: Chance, item: GraphQLOutputType): unknown {
  const value = () => anyOf(next, item);
  const kind = next();
  // Where an item fails at once, the executor leaves the promises before it to themselves.
  const lonely = isNonNullType(item) && !isLeafType(item.ofType) && !next.calm;
  const length = Math.floor(next() * (lonely && kind >= 0.3 ? 2 : 4));
  if (kind < 0.3) return Array.from({ length }, () => later(next, value));
  if (kind < 0.4 && isLeafType(item)) {
    return Array.from({ length }, () => (next() < 0.5 ? value() : later(next, value)));
  }
  // Made once chosen: a promise that nobody is given would be heard of by nobody.
  const values = () => Array.from({ length }, value);
  const last = next.calm || isNonNullType(item) || next() < 0.7 ? undefined : failure(next);
  const lists = [values, values, values, () => new Set(values()), () => following(values(), last)];
  const make = mostly(
    next,
    lists,
    () => 'no list',
    () => ({}),
  ) as () => unknown;
  return make();
}

async function* following(values: readonly unknown[], error: unknown) {
  for (const value of values) yield value;
  if (error !== undefined) throw error;
}
