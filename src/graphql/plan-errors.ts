/** Makes an error of whatever was thrown, as the executor of @graphql-tools does. */
export function coerceError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  if (typeof thrown !== 'object' || thrown === null) return new Error(String(thrown));
  if (!('message' in thrown) || typeof thrown.message !== 'string') {
    return new Error(String(thrown));
  }
  const options = 'cause' in thrown ? { cause: thrown.cause } : undefined;
  const error = new Error(thrown.message, options);
  if ('stack' in thrown && typeof thrown.stack === 'string') error.stack = thrown.stack;
  if ('name' in thrown && typeof thrown.name === 'string') error.name = thrown.name;
  return error;
}
