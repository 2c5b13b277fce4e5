import { complexityFromQuery, type FieldComplexity } from '@pothos/plugin-complexity';
import {
  type ASTVisitor,
  type DefinitionNode,
  type DocumentNode,
  type GraphQLError,
  type GraphQLSchema,
  isInterfaceType,
  isObjectType,
  Kind,
  visit,
} from 'graphql';
import { badRequest } from './bad-request.ts';
import { PAGE_DEFAULT, PAGE_MAX } from './builder.ts';

/** Aliases in a document. */
export const GRAPHQL_ALIASES_MAX = 50;

/** Directives in a document. */
export const GRAPHQL_DIRECTIVES_MAX = 20;

/** Fields of an operation, those of its fragments counted each time. */
export const GRAPHQL_FIELDS_MAX = 250;

/** Fields of all operations and fragments of a document as it is written. */
export const GRAPHQL_WRITTEN_FIELDS_MAX = 1_000;

/** Operations and fragments of a document. */
export const GRAPHQL_DEFINITIONS_MAX = 50;

/** Selections in each other. */
export const GRAPHQL_DEPTH_MAX = 15;

/** Fields of an operation, those of a page counted as often as it may have items, and those of any other list ten times. */
export const GRAPHQL_COST_MAX = 200_000;

/** What is too large of a document as it is written; looked at before anything is validated. */
export function writtenTooLarge(document: DocumentNode): GraphQLError | undefined {
  let [aliases, directives, depth, deepest, written] = [0, 0, 0, 0, 0];
  let [fields, mostFields] = [0, 0];
  const countAnew = () => {
    fields = 0;
  };
  visit(document, {
    Field({ alias }) {
      written++;
      mostFields = Math.max(mostFields, ++fields);
      if (alias !== undefined) aliases++;
    },
    Directive() {
      directives++;
    },
    SelectionSet: {
      enter() {
        deepest = Math.max(deepest, ++depth);
      },
      leave() {
        depth--;
      },
    },
    OperationDefinition: countAnew,
    FragmentDefinition: countAnew,
  });
  return firstBeyond([
    {
      max: GRAPHQL_ALIASES_MAX,
      count: aliases,
      what: 'A document can have %s aliases at the most.',
    },
    {
      ...{ max: GRAPHQL_DIRECTIVES_MAX, count: directives },
      what: 'A document can have %s directives at the most.',
    },
    { max: GRAPHQL_FIELDS_MAX, count: mostFields, what: tooManyFields },
    {
      ...{ max: GRAPHQL_WRITTEN_FIELDS_MAX, count: written },
      what: 'A document can have %s fields at the most.',
    },
    {
      ...{ max: GRAPHQL_DEFINITIONS_MAX, count: document.definitions.length },
      what: 'A document can have %s operations and fragments at the most.',
    },
    { max: GRAPHQL_DEPTH_MAX, count: deepest, what: tooDeep },
  ]);
}

/** What is too large of a document once its fragments are looked into; it must be valid. */
export function selectsTooMuch(
  schema: GraphQLSchema,
  { kind, definitions }: DocumentNode,
): GraphQLError | undefined {
  const fragments = definitions.filter((each) => each.kind === Kind.FRAGMENT_DEFINITION);
  for (const operation of definitions) {
    if (operation.kind !== Kind.OPERATION_DEFINITION) continue;
    const alone: DefinitionNode = { ...operation, variableDefinitions: [] };
    const document: DocumentNode = visit(
      { kind, definitions: [alone, ...fragments] },
      largestPages,
    );
    const { depth, breadth, complexity } = complexityFromQuery(document, { schema });
    const error = firstBeyond([
      { max: GRAPHQL_FIELDS_MAX, count: breadth, what: tooManyFields },
      { max: GRAPHQL_DEPTH_MAX, count: depth, what: tooDeep },
      { max: GRAPHQL_COST_MAX, count: complexity, what: tooCostly },
    ]);
    if (error !== undefined) return error;
  }
  return undefined;
}

/** Variables are not known yet, so that a document is looked at once: a page may be as large as pages are. */
const largestPages: ASTVisitor = {
  Argument: (argument) =>
    pageSizes.has(argument.name.value) && argument.value.kind === Kind.VARIABLE
      ? { ...argument, value: { kind: Kind.INT, value: String(PAGE_MAX) } }
      : undefined,
};

const pageSizes = new Set(['first', 'last']);

/** Says of each list that has pages how much a page holds; whatever else is a list counts as ten. */
export function pricePages(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      if (!field.args.some(({ name }) => pageSizes.has(name))) continue;
      const complexity: FieldComplexity<object, PageSize> = ({ first, last }) => ({
        field: 1,
        // Its edges are a list, which counts as ten by itself.
        multiplier: Math.min(Math.max(first ?? last ?? PAGE_DEFAULT, 0), PAGE_MAX) / 10,
      });
      field.extensions = { ...field.extensions, complexity };
    }
  }
}

interface PageSize {
  readonly first?: number | null;
  readonly last?: number | null;
}

const tooDeep = 'Selections can be %s deep at the most.';
const tooManyFields =
  'An operation can select %s fields at the most, those of fragments counted each time.';
const tooCostly =
  'An operation can cost %s at the most: its fields, each as often as the pages around it may have items.';

interface Measured {
  readonly max: number;
  readonly count: number;
  readonly what: string;
}

function firstBeyond(measured: readonly Measured[]): GraphQLError | undefined {
  const beyond = measured.find(({ max, count }) => count > max);
  return beyond && badRequest(beyond.what.replace('%s', beyond.max.toLocaleString('en')));
}
