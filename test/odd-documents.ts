import {
  type DocumentNode,
  doTypesOverlap,
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  getNamedType,
  isCompositeType,
  isNonNullType,
  NoUnusedFragmentsRule,
  NoUnusedVariablesRule,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { type Chance, chance, mostly, oddSchema, oneOf } from './odd-graph.ts';

/** A document for the odd graph, and the variables that go with it. */
export interface OddDocument {
  readonly text: string;
  readonly document: DocumentNode;
  readonly variables: Record<string, unknown>;
}

const rules = specifiedRules.filter(
  (rule) => rule !== NoUnusedVariablesRule && rule !== NoUnusedFragmentsRule,
);

const DECLARED =
  '$s: String, $def: String = "preset", $must: String!, $n: Int = 2, $in: In, $ins: [In!], $c: Color';

const fragmentTypes = ['Node', 'Named', 'A', 'B', 'Either'];

/** The document of this number, if it is valid. */
export function oddDocument(seed: number): OddDocument | undefined {
  const next = chance(`document ${seed}`);
  const kind = oneOf(next, 'query', 'query', 'mutation');
  const root = kind === 'query' ? 'Query' : 'Mutation';
  const fragments = fragmentTypes.map(
    (type, i) => `fragment On${type} on ${type} ${selection(next, type, 1, i)}`,
  );
  const whole = selection(next, root, 3, fragments.length);
  const text = `${kind} Op(${DECLARED}) ${whole}\n${fragments.join('\n')}`;
  const document = parse(text);
  if (validate(oddSchema, document, rules).length > 0) return undefined;
  return { text, document, variables: oddVariables(next) };
}

function oddVariables(next: Chance): Record<string, unknown> {
  const variables = {
    s: mostly(next, ['given', '', 'ü', undefined], null),
    def: mostly(next, ['given', undefined], null),
    must: mostly(next, ['given'], null, 1),
    n: mostly(next, [1, 3, undefined], null, 1.5),
    in: mostly(next, [{ text: 'a', in: { text: 'b', n: null } }, undefined, null], { n: 1 }),
    ins: mostly(next, [[], [{ text: 'a' }], { text: 'b', colors: 'RED' }, undefined], 1),
    c: mostly(next, ['GREEN', undefined], null, 'BLUE'),
  };
  // What is undefined is missing.
  return JSON.parse(JSON.stringify(variables));
}

/** Those types of which something can be of this type too. */
const overlapping = (on: readonly string[], type: GraphQLCompositeType): string[] =>
  on.filter((name) =>
    doTypesOverlap(oddSchema, type, oddSchema.getType(name) as GraphQLCompositeType),
  );

/** A selection; fragments are spread up to a number, so that none is in itself. */
function selection(next: Chance, name: string, depth: number, fragments: number): string {
  const type = oddSchema.getType(name) as GraphQLCompositeType;
  const spread = overlapping(fragmentTypes.slice(0, fragments), type);
  const parts = Array.from({ length: 1 + Math.floor(next() * 5) }, () => {
    const kind = next();
    if (kind < 0.1) return '__typename';
    if (kind < 0.25 && spread.length > 0) return `...On${oneOf(next, ...spread)}`;
    if (kind < 0.4 && depth > 0) {
      const on = oneOf(next, '', ...overlapping(fragmentTypes, type));
      return `... ${on && `on ${on} `}${selection(next, on || name, depth - 1, fragments)}`;
    }
    return 'getFields' in type ? field(next, type, depth, fragments) : '__typename';
  });
  return `{ ${parts.join(' ')} }`;
}

function field(
  next: Chance,
  type: GraphQLObjectType | GraphQLInterfaceType,
  depth: number,
  fragments: number,
): string {
  const fields = Object.values(type.getFields()).filter(
    (field) => depth > 0 || !isCompositeType(getNamedType(field.type)),
  );
  const { name, type: of, args } = oneOf(next, ...fields);
  const given = args.map((arg) => argument(next, arg)).filter((text) => text !== '');
  const list = given.length > 0 ? `(${given.join(', ')})` : '';
  // The same name has the same arguments, or they could not be one.
  const digest = list.replaceAll(/[^a-z0-9]/gi, '');
  const alias = next() < 0.3 ? oneOf(next, 'x', 'constructor', 'toJSON') : '';
  const renamed = alias === '' && digest === '' ? '' : `${alias}${name}${digest}: `;
  const named = getNamedType(of);
  const below = isCompositeType(named) ? selection(next, named.name, depth - 1, fragments) : '';
  return `${renamed}${name}${list} ${below}`;
}

const literals: Record<string, readonly string[]> = {
  text: ['"literal"', '$s', '$def', '$must', 'null', '"""block"""'],
  must: ['"literal"', '$def', '$must'],
  in: ['$in', '{ text: "a" }', '{ text: $def, n: $n }', '{ text: $must, colors: [$c] }', 'null'],
  list: ['$ins', '[{ text: "a", in: { n: 1, text: $def } }]', '{ text: $must, colors: RED }'],
  color: ['RED', '$c', 'null'],
  limit: ['1', '$n'],
};

function argument(next: Chance, { name, type }: GraphQLArgument): string {
  if (next() < 0.5 && !isNonNullType(type)) return '';
  const [first = 'null', ...others] = literals[name] ?? [];
  const fit = isNonNullType(type) ? ['"literal"', '$def', '$must'] : [first, ...others];
  return `${name}: ${oneOf(next, ...(name === 'limit' ? (literals.limit ?? []) : fit))}`;
}
