import {
  coerceInputLiteral,
  coerceInputValue,
  type FieldNode,
  type GraphQLArgument,
  GraphQLError,
  type GraphQLField,
  isNonNullType,
  Kind,
  print,
  type ValueNode,
  type VariableValues,
} from 'graphql';

/** Reads the arguments of a field for one execution. */
export type ReadArguments = (variables: VariableValues) => Record<string, unknown>;

const none = Object.freeze({});

/** Reads what a field is given. What has no variables is read once, and frozen: executions share it. */
export function argumentsReader(
  { args }: GraphQLField<unknown, unknown>,
  node: FieldNode,
): ReadArguments {
  if (args.length === 0) return () => none;
  const nodes = new Map((node.arguments ?? []).map(({ name, value }) => [name.value, value]));
  const given = args.map((arg) => ({ arg, value: nodes.get(arg.name) }));
  const read: ReadArguments = (variables) => {
    const values: Record<string, unknown> = {};
    for (const { arg, value } of given) {
      const coerced = readArgument(arg, node, value, variables);
      if (coerced !== undefined) values[arg.name] = coerced;
    }
    return values;
  };
  if (given.some(({ value }) => value !== undefined && hasVariables(value))) return read;
  let constant: Record<string, unknown> | undefined;
  return (variables) => {
    constant ??= frozen(read(variables));
    return constant;
  };
}

/** As `getArgumentValues` of @graphql-tools/utils does; undefined where there is no value. */
function readArgument(
  arg: GraphQLArgument,
  node: FieldNode,
  value: ValueNode | undefined,
  variables: VariableValues,
): unknown {
  const { name, type } = arg;
  const missing = value === undefined ? 'was not provided.' : missingVariable(value, variables);
  if (value === undefined || missing !== undefined) {
    const otherwise = defaultOf(arg);
    if (otherwise !== undefined || !isNonNullType(type)) return otherwise;
    const message = `Argument "${name}" of required type "${type}" ${missing}`;
    throw new GraphQLError(message, { nodes: [value ?? node] });
  }
  if (isNonNullType(type) && isNull(value, variables)) {
    const message = `Argument "${name}" of non-null type "${type}" must not be null.`;
    throw new GraphQLError(message, { nodes: [value] });
  }
  const coerced = coerceInputLiteral(value, type, variables);
  if (coerced !== undefined) return coerced;
  const message = `Argument "${name}" has invalid value ${print(value)}.`;
  throw new GraphQLError(message, { nodes: [value] });
}

function missingVariable(value: ValueNode, { coerced }: VariableValues): string | undefined {
  if (value.kind !== Kind.VARIABLE || Object.hasOwn(coerced, value.name.value)) return undefined;
  return `was provided the variable "$${value.name.value}" which was not provided a runtime value.`;
}

const isNull = (value: ValueNode, { coerced }: VariableValues): boolean =>
  value.kind === Kind.VARIABLE ? coerced[value.name.value] == null : value.kind === Kind.NULL;

const defaults = new WeakMap<GraphQLArgument, unknown>();

function defaultOf(arg: GraphQLArgument): unknown {
  if (!defaults.has(arg)) defaults.set(arg, readDefault(arg));
  return defaults.get(arg);
}

function readDefault({ type, default: given, defaultValue }: GraphQLArgument): unknown {
  if (given === undefined) return defaultValue;
  return given.literal === undefined
    ? coerceInputValue(given.value, type)
    : coerceInputLiteral(given.literal, type);
}

function hasVariables(value: ValueNode): boolean {
  if (value.kind === Kind.LIST) return value.values.some(hasVariables);
  if (value.kind === Kind.OBJECT) return value.fields.some((field) => hasVariables(field.value));
  return value.kind === Kind.VARIABLE;
}

/** Freezes what literals become: lists, and objects without a prototype. */
function frozen<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (Array.isArray(inner) || isBare(inner)) frozen(inner);
  }
  return Object.freeze(value);
}

const isBare = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null;
