import { type DocumentNode, GraphQLError, type GraphQLSchema, parse, validate } from 'graphql';
import { LRUCache } from 'lru-cache';
import { badRequest } from './bad-request.ts';
import { createPlans, type Plans } from './plan.ts';
import type { Rules } from './rules.ts';
import { selectsTooMuch, writtenTooLarge } from './size.ts';

/** Documents that are kept parsed and validated. */
const DOCUMENTS_MAX = 500;

/** Their characters together. A character costs 50 to 260 bytes once it is parsed. */
const DOCUMENTS_CHARS_MAX = 100_000;

/** The longest document that is kept, in characters; a longer one is read each time. */
const DOCUMENT_CHARS_MAX = 10_000;

/** A document as it was read. */
export interface Read {
  /** Missing where it could not be parsed. */
  readonly document?: DocumentNode;
  /** How its operations are executed, where it is kept. */
  readonly plans?: Plans;
  /** What is wrong with it. */
  readonly errors: readonly GraphQLError[];
}

/** Parses and validates, once for each document that is asked often. */
export type Documents = (text: string) => Read;

/** Keeps documents without errors only: the errors of a short document can be large. */
export function createDocuments(schema: GraphQLSchema, rules: Rules): Documents {
  const kept = new LRUCache<string, Read>({
    max: DOCUMENTS_MAX,
    maxSize: DOCUMENTS_CHARS_MAX,
    sizeCalculation: (_read, text) => text.length || 1,
  });
  return (text) => {
    const known = kept.get(text);
    if (known !== undefined) return known;
    const read = readDocument(schema, rules, text);
    const { document, errors } = read;
    const keep = errors.length === 0 && text.length <= DOCUMENT_CHARS_MAX;
    if (document === undefined || !keep) return read;
    const planned = { ...read, plans: createPlans(schema, document, rules.validating) };
    kept.set(text, planned);
    return planned;
  };
}

function readDocument(schema: GraphQLSchema, rules: Rules, text: string): Read {
  try {
    const document = parse(text, rules.parsing);
    const large = writtenTooLarge(document);
    if (large !== undefined) return { document, errors: [large] };
    const errors = validate(schema, document, rules.validation, rules.validating);
    if (errors.length > 0) return { document, errors };
    const much = selectsTooMuch(schema, document);
    return { document, errors: much === undefined ? [] : [much] };
  } catch (error) {
    if (error instanceof GraphQLError) return { errors: [error] };
    // Both call themselves for each level.
    if (error instanceof RangeError)
      return { errors: [badRequest('The document is nested too deeply.')] };
    throw error;
  }
}
