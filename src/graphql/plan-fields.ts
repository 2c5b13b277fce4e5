import { defaultFieldResolver, getFieldDef } from '@graphql-tools/executor';
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLAbstractType,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  type InlineFragmentNode,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  Kind,
  type SelectionSetNode,
  TypeNameMetaFieldDef,
  typeFromAST,
} from 'graphql';
import { argumentsReader, type ReadArguments } from './plan-arguments.ts';

/** What the plans of one document share. */
export interface Asked {
  readonly schema: GraphQLSchema;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Counts fields that are kept. */
  readonly keep: (fields: readonly FieldPlan[]) => void;
}

/** How one field of the results of one type comes about. */
export interface FieldPlan {
  /** What it is called in the results. */
  readonly name: string;
  readonly nodes: FieldNode[];
  readonly parentType: GraphQLObjectType;
  readonly definition: GraphQLField<unknown, unknown>;
  /** The value of `__typename`, which nobody need resolve. */
  readonly typename: string | undefined;
  readonly resolve: GraphQLFieldResolver<unknown, unknown>;
  readonly readArguments: ReadArguments;
  readonly shape: Shape;
  /** The fields of its value, which is of this type. */
  readonly below: (type: GraphQLObjectType) => readonly FieldPlan[];
}

/** An output type, as it is asked about for each value. */
export type Shape = { readonly nonNull: boolean } & (
  | { readonly kind: 'leaf'; readonly type: GraphQLLeafType }
  | { readonly kind: 'list'; readonly item: Shape }
  | { readonly kind: 'abstract'; readonly type: GraphQLAbstractType }
  | { readonly kind: 'object'; readonly type: GraphQLObjectType }
);

/** The fragments of a document, by name. */
export function fragmentsOf(document: DocumentNode): Asked['fragments'] {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      fragments.set(definition.name.value, definition);
    }
  }
  return fragments;
}

/** The fields that nodes select together from a value of this type, in their order. */
export function fieldsOf(
  asked: Asked,
  type: GraphQLObjectType,
  nodes: readonly { readonly selectionSet?: SelectionSetNode | undefined }[],
): readonly FieldPlan[] {
  const collected = new Map<string, FieldNode[]>();
  const spread = new Set<string>();
  for (const { selectionSet } of nodes) {
    if (selectionSet !== undefined) collect(asked, type, selectionSet, collected, spread);
  }
  const fields: FieldPlan[] = [];
  for (const [name, nodes] of collected) {
    const field = planField(asked, type, name, nodes);
    if (field !== undefined) fields.push(field);
  }
  return fields;
}

/** Sorts the fields by what they are called; each fragment counts once. */
function collect(
  asked: Asked,
  type: GraphQLObjectType,
  { selections }: SelectionSetNode,
  collected: Map<string, FieldNode[]>,
  spread: Set<string>,
): void {
  for (const selection of selections) {
    if (selection.kind === Kind.FIELD) {
      const name = (selection.alias ?? selection.name).value;
      const nodes = collected.get(name);
      if (nodes === undefined) collected.set(name, [selection]);
      else nodes.push(selection);
      continue;
    }
    const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : named(selection.name);
    if (fragment === undefined || !appliesTo(asked.schema, fragment, type)) continue;
    if (selection.kind === Kind.FRAGMENT_SPREAD) spread.add(selection.name.value);
    collect(asked, type, fragment.selectionSet, collected, spread);
  }

  function named({ value }: { value: string }) {
    return spread.has(value) ? undefined : asked.fragments.get(value);
  }
}

function appliesTo(
  schema: GraphQLSchema,
  { typeCondition }: FragmentDefinitionNode | InlineFragmentNode,
  type: GraphQLObjectType,
): boolean {
  if (typeCondition === undefined) return true;
  const condition = typeFromAST(schema, typeCondition);
  if (condition === type) return true;
  return isAbstractType(condition) && schema.isSubType(condition, type);
}

function planField(
  asked: Asked,
  parentType: GraphQLObjectType,
  name: string,
  nodes: FieldNode[],
): FieldPlan | undefined {
  const [node] = nodes;
  const definition = node && getFieldDef(asked.schema, parentType, node);
  if (!definition) return undefined;
  return {
    ...{ name, nodes, parentType, definition },
    typename: definition === TypeNameMetaFieldDef ? parentType.name : undefined,
    resolve: definition.resolve ?? defaultFieldResolver,
    readArguments: argumentsReader(definition, node),
    shape: shapeOf(definition.type),
    below: keeping((type) => {
      const fields = fieldsOf(asked, type, nodes);
      asked.keep(fields);
      return fields;
    }),
  };
}

/** Asks once for each type. */
function keeping(find: FieldPlan['below']): FieldPlan['below'] {
  let kept: Map<GraphQLObjectType, readonly FieldPlan[]> | undefined;
  return (type) => {
    let fields = kept?.get(type);
    if (fields === undefined) {
      fields = find(type);
      kept ??= new Map();
      kept.set(type, fields);
    }
    return fields;
  };
}

const shapes = new WeakMap<GraphQLOutputType, Shape>();

function shapeOf(type: GraphQLOutputType): Shape {
  const shape = shapes.get(type) ?? readShape(type);
  shapes.set(type, shape);
  return shape;
}

function readShape(type: GraphQLOutputType): Shape {
  if (isNonNullType(type)) return { ...shapeOf(type.ofType), nonNull: true };
  const nonNull = false;
  if (isListType(type)) return { kind: 'list', nonNull, item: shapeOf(type.ofType) };
  if (isLeafType(type)) return { kind: 'leaf', nonNull, type };
  return isAbstractType(type)
    ? { kind: 'abstract', nonNull, type }
    : { kind: 'object', nonNull, type };
}
