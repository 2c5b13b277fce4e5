import { buildResolveInfo, CRITICAL_ERROR, type ExecutionContext } from '@graphql-tools/executor';
import { inspect } from 'cross-inspect';
import {
  type GraphQLAbstractType,
  GraphQLError,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  locatedError,
  responsePathAsArray,
} from 'graphql';
import { coerceError } from './plan-errors.ts';
import type { FieldPlan, Shape } from './plan-fields.ts';
import { concreteType } from './plan-types.ts';
import { isAsyncIterable, isIterable, isPromise, leave, serialize } from './plan-values.ts';

/** One execution of a plan. */
export type Run = ExecutionContext;

type Path = GraphQLResolveInfo['path'];

/** Where a value belongs. */
interface Place {
  readonly field: FieldPlan;
  readonly info: GraphQLResolveInfo;
  /** That of the field, or of an item below it. */
  readonly path: Path;
}

/** What fields come to, by what they are called. */
export type Results = Record<string, unknown>;

/** Executes fields side by side. */
export function executeFields(
  run: Run,
  fields: readonly FieldPlan[],
  source: unknown,
  path: Path | undefined,
): Results | Promise<Results> {
  const results: Results = {};
  let waits = false;
  try {
    for (const field of fields) {
      const result = field.typename ?? executeField(run, field, source, path);
      if (result === undefined) continue;
      results[field.name] = result;
      waits ||= isPromise(result);
    }
  } catch (error) {
    if (!waits) throw error;
    const fail = () => {
      throw error;
    };
    return settle(results).then(fail, fail);
  }
  return waits ? settle(results) : results;
}

/** Executes fields one after the other. */
export function executeSerially(
  run: Run,
  fields: readonly FieldPlan[],
  source: unknown,
  path: Path | undefined,
): Results | Promise<Results> {
  const results: Results = {};
  const put = (field: FieldPlan, result: unknown) => {
    if (result !== undefined) results[field.name] = result;
    return results;
  };
  const execute = (field: FieldPlan) => {
    const result = field.typename ?? executeField(run, field, source, path);
    return isPromise(result) ? result.then((result) => put(field, result)) : put(field, result);
  };
  let done: Results | Promise<Results> = results;
  for (const field of fields) {
    done = isPromise<Results>(done) ? done.then(() => execute(field)) : execute(field);
  }
  return done;
}

/** Puts values in place of promises. */
function settle(results: Results): Promise<Results> {
  const waiting: Promise<void>[] = [];
  for (const name in results) {
    const result = results[name];
    if (!isPromise(result)) continue;
    const put = (value: unknown) => {
      results[name] = value;
    };
    waiting.push(result.then(put));
  }
  const [first] = waiting;
  const all = first !== undefined && waiting.length === 1 ? first : Promise.all(waiting);
  return all.then(() => results);
}

function executeField(run: Run, field: FieldPlan, source: unknown, prev: Path | undefined) {
  const { definition, nodes, parentType, shape, resolve } = field;
  const path = { prev, key: field.name, typename: parentType.name };
  const info = buildResolveInfo(run, definition, nodes, parentType, path);
  const place = { field, info, path };
  try {
    const result = resolve(source, field.readArguments(run.variableValues), run.contextValue, info);
    const completed = isPromise(result)
      ? result.then((resolved) => complete(run, place, shape, resolved))
      : complete(run, place, shape, result);
    return isPromise(completed)
      ? completed.then(undefined, (error) => failAll(run, place, shape, error))
      : completed;
  } catch (error) {
    return failAll(run, place, shape, error);
  }
}

/** Several errors at once are each told of. */
function failAll(run: Run, place: Place, shape: Shape, error: unknown): null | undefined {
  if (!(error instanceof AggregateError)) return fail(run, place, shape, error);
  let result: null | undefined;
  for (const each of error.errors) result = fail(run, place, shape, each);
  return result;
}

/** A field that may be null is; where it may not, what is around it fails. */
function fail(run: Run, { field, path }: Place, { nonNull }: Shape, raw: unknown): null {
  const error = locatedError(coerceError(raw), field.nodes, responsePathAsArray(path));
  if (nonNull || error.extensions[CRITICAL_ERROR]) throw error;
  run.errors.push(error);
  return null;
}

function complete(run: Run, place: Place, shape: Shape, value: unknown): unknown {
  if (value instanceof Error) throw value;
  if (value != null) return completeSome(run, place, shape, value);
  if (!shape.nonNull) return null;
  const { parentType, fieldName } = place.info;
  throw new Error(`Cannot return null for non-nullable field ${parentType.name}.${fieldName}.`);
}

function completeSome(run: Run, place: Place, shape: Shape, value: NonNullable<unknown>): unknown {
  switch (shape.kind) {
    case 'leaf':
      return serialize(shape.type, value);
    case 'object':
      return completeObject(run, place, shape.type, value);
    case 'list':
      return completeList(run, place, shape.item, value);
    case 'abstract':
      return completeAbstract(run, place, shape.type, value);
  }
}

function completeAbstract(
  run: Run,
  place: Place,
  type: GraphQLAbstractType,
  value: unknown,
): unknown {
  const { field, info } = place;
  const resolveType = type.resolveType ?? run.typeResolver;
  const asNamed = (name: unknown) =>
    completeObject(run, place, concreteType(type, name, field.nodes, info, value), value);
  const name = resolveType(value, run.contextValue, info, type);
  return isPromise(name) ? name.then(asNamed) : asNamed(name);
}

function completeObject(run: Run, place: Place, type: GraphQLObjectType, value: unknown): unknown {
  if (type.isTypeOf == null) return executeBelow(run, place, type, value, true);
  const isOfType = type.isTypeOf(value, run.contextValue, place.info);
  if (isPromise<boolean>(isOfType)) {
    return isOfType.then((is) => executeBelow(run, place, type, value, is));
  }
  return executeBelow(run, place, type, value, isOfType);
}

function executeBelow(
  run: Run,
  { field, path }: Place,
  type: GraphQLObjectType,
  value: unknown,
  isOfType: boolean,
): Results | Promise<Results> {
  if (isOfType) return executeFields(run, field.below(type), value, path);
  const message = `Expected value of type "${type.name}" but got: ${inspect(value)}.`;
  throw new GraphQLError(message, { nodes: field.nodes });
}

function completeList(run: Run, place: Place, item: Shape, list: NonNullable<unknown>): unknown {
  if (isAsyncIterable(list)) return completeAsyncList(run, place, item, list);
  if (!isIterable(list)) {
    const { parentType, fieldName } = place.info;
    throw new GraphQLError(
      `Expected Iterable, but did not find one for field "${parentType.name}.${fieldName}".`,
    );
  }
  const items: unknown[] = [];
  let waits = false;
  try {
    for (const value of list) {
      const completed = completeItem(run, itemPlace(place, items.length), item, value);
      items.push(completed);
      waits ||= isPromise(completed);
    }
  } catch (error) {
    for (const completed of items) leave(completed);
    throw error;
  }
  return waits ? Promise.all(items) : items;
}

async function completeAsyncList(
  run: Run,
  place: Place,
  item: Shape,
  list: AsyncIterable<unknown>,
): Promise<unknown> {
  const iterator = list[Symbol.asyncIterator]();
  const items: unknown[] = [];
  for (;;) {
    const at = itemPlace(place, items.length);
    let next: IteratorResult<unknown>;
    try {
      next = await iterator.next();
    } catch (error) {
      items.push(fail(run, at, item, error));
      break;
    }
    if (next.done) break;
    const completed = completeItem(run, at, item, next.value);
    items.push(completed);
    leave(completed);
  }
  return items.some(isPromise) ? Promise.all(items) : items;
}

const itemPlace = ({ field, info, path }: Place, key: number): Place => ({
  ...{ field, info, path: { prev: path, key, typename: undefined } },
});

function completeItem(run: Run, place: Place, item: Shape, value: unknown): unknown {
  try {
    const completed = isPromise(value)
      ? value.then((resolved) => complete(run, place, item, resolved))
      : complete(run, place, item, value);
    return isPromise(completed)
      ? completed.then(undefined, (error) => fail(run, place, item, error))
      : completed;
  } catch (error) {
    return fail(run, place, item, error);
  }
}
