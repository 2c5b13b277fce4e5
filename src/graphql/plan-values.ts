import { inspect } from 'cross-inspect';
import { GraphQLError, type GraphQLLeafType } from 'graphql';

/** Whether something is waited for. */
export const isPromise = <T>(value: unknown): value is Promise<T> =>
  (value as Promise<T> | null | undefined)?.then != null;

/** Nobody waits for it any more, so nobody hears if it fails: it must not end the process. */
export function leave(completed: unknown): void {
  if (isPromise(completed)) completed.then(undefined, () => undefined);
}

/** Whether items follow one another in time. */
export const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> =>
  (value as AsyncIterable<unknown>)[Symbol.asyncIterator] != null;

/** Whether something is a list; a text is none. */
export const isIterable = (value: unknown): value is Iterable<unknown> =>
  typeof value === 'object' && typeof (value as Iterable<unknown>)[Symbol.iterator] === 'function';

/** What a client is told of a value. */
export function serialize(type: GraphQLLeafType, value: unknown): unknown {
  let serialized: unknown;
  try {
    serialized = type.serialize(value);
  } catch (error) {
    // So that a value that cannot be told is a fault, and not for the client.
    throw error instanceof GraphQLError ? new Error(error.message) : error;
  }
  if (serialized != null) return serialized;
  throw new Error(
    `Expected \`${inspect(type)}.serialize(${inspect(value)})\` to ` +
      `return non-nullable value, returned: ${inspect(serialized)}`,
  );
}
