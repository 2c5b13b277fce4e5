import {
  coerceInputValue,
  type GraphQLError,
  type GraphQLInputType,
  type GraphQLSchema,
  isInputType,
  type OperationDefinitionNode,
  typeFromAST,
  validateInputValue,
} from 'graphql';
import { badRequest } from './bad-request.ts';

/** The longest request that is told all that is wrong with its variables, in characters beside the document. */
export const GRAPHQL_TOLD_CHARS_MAX = 400;

/** Members of an object in the variables of a longer one. */
export const GRAPHQL_MEMBERS_MAX = 100;

/** Of what is wrong with the variables of a longer one, in characters. */
const PROBLEM_CHARS_MAX = 300;

/**
 * The first thing that is wrong with the variables of a long request. The executor would tell of fifty,
 * and print what surrounds each: a request of a megabyte would have an answer of fifty.
 */
export function wrongVariables(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>> | null | undefined,
  chars: number,
): GraphQLError | undefined {
  if (chars <= GRAPHQL_TOLD_CHARS_MAX || variables == null) return undefined;
  if (hasWideObject(variables)) {
    return badRequest(
      `An object in the variables can have ${GRAPHQL_MEMBERS_MAX} members at the most.`,
    );
  }
  for (const { variable, type: node } of operation.variableDefinitions ?? []) {
    const name = variable.name.value;
    const type = typeFromAST(schema, node);
    if (!Object.hasOwn(variables, name) || !isInputType(type)) continue;
    const value = variables[name];
    if (coerceInputValue(value, type) !== undefined) continue;
    const said = `Variable "$${name}" got an invalid value${firstProblem(value, type)}`;
    return badRequest(
      said.length > PROBLEM_CHARS_MAX ? `${said.slice(0, PROBLEM_CHARS_MAX)}…` : said,
    );
  }
  return undefined;
}

/** Where a value is no good first, and why. */
function firstProblem(value: unknown, type: GraphQLInputType): string {
  const enough = new Error('One is enough');
  let problem = '';
  const stop = ({ message }: GraphQLError, path: readonly (string | number)[]) => {
    problem = `${path.map((key) => ` at ${key}`).join('')}: ${message}`;
    throw enough;
  };
  try {
    validateInputValue(value, type, stop, true);
  } catch (error) {
    if (error !== enough) throw error;
  }
  return problem;
}

/** Looked at without calls for each level, since JSON may have very many. */
function hasWideObject(variables: object): boolean {
  const open: object[] = [variables];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const values = Object.values(next);
    if (!Array.isArray(next) && values.length > GRAPHQL_MEMBERS_MAX) return true;
    for (const value of values) {
      if (typeof value === 'object' && value !== null) open.push(value);
    }
  }
  return false;
}
