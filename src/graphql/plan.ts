import {
  buildExecutionContext,
  type ExecutionArgs,
  normalizedExecutor,
} from '@graphql-tools/executor';
import {
  BREAK,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLError,
  type GraphQLSchema,
  type OperationDefinitionNode,
  OperationTypeNode,
  type ValidationOptions,
  visit,
} from 'graphql';
import { type Asked, type FieldPlan, fieldsOf, fragmentsOf } from './plan-fields.ts';
import { executeFields, executeSerially, type Results, type Run } from './plan-run.ts';
import { isPromise } from './plan-values.ts';
import { variablesReader } from './plan-variables.ts';

/** Executes one operation of a document as the executor of @graphql-tools does, to the byte. */
export type Plan = (
  contextValue: unknown,
  variables: Record<string, unknown>,
) => ExecutionResult | Promise<ExecutionResult>;

/** The plan of an operation of one document; undefined where only the executor can execute it. */
export type Plans = (operation: OperationDefinitionNode) => Plan | undefined;

/** What errors of variables say: names are suggested, or not. */
export type PlanOptions = Pick<ValidationOptions, 'hideSuggestions'>;

/** A document's characters for each field that its plans keep, so that what bounds documents bounds them. */
const CHARS_PER_FIELD_MIN = 4;

/**
 * Plans the operations of a valid document, each when it is first asked for. A document whose plans
 * outgrow it, as fragments and types can make them do, has no plans from then on.
 */
export function createPlans(
  schema: GraphQLSchema,
  document: DocumentNode,
  options: PlanOptions = {},
): Plans {
  const plans = new Map<OperationDefinitionNode, Plan | undefined>();
  let fieldsLeft = isPlannable(document) ? charsOf(document) / CHARS_PER_FIELD_MIN : -1;
  const fragments = fragmentsOf(document);
  const keep = (fields: readonly FieldPlan[]) => {
    fieldsLeft -= fields.length;
    if (fieldsLeft < 0) plans.clear();
  };
  return (operation) => {
    if (fieldsLeft < 0) return undefined;
    if (!plans.has(operation)) {
      const asked = { schema, fragments, keep };
      plans.set(operation, compilePlan(asked, document, operation, options));
    }
    return plans.get(operation);
  };
}

/** Makes the plan of one operation; its fields below the first level follow as they are met. */
function compilePlan(
  asked: Asked,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  { hideSuggestions }: PlanOptions,
): Plan | undefined {
  const { schema } = asked;
  const rootType = schema.getRootType(operation.operation);
  if (operation.operation === OperationTypeNode.SUBSCRIPTION || rootType == null) return undefined;
  const fields = fieldsOf(asked, rootType, [operation]);
  asked.keep(fields);
  const operationName = operation.name?.value ?? null;
  const execute =
    operation.operation === OperationTypeNode.MUTATION ? executeSerially : executeFields;

  const readVariables = variablesReader(schema, operation);
  /** What is the same each time. */
  let kept: Run | undefined;
  const begin = (args: ExecutionArgs, given: Record<string, unknown>) => {
    const variableValues = kept && readVariables(given);
    if (kept && variableValues) {
      return { ...kept, contextValue: args.contextValue, variableValues, errors: [] };
    }
    const run = buildExecutionContext(args);
    if (!('schema' in run)) return undefined;
    kept ??= { ...run, contextValue: undefined, variableValues: { sources: {}, coerced: {} } };
    return run;
  };

  return (contextValue, variableValues) => {
    const asking = { schema, document, operationName, hideSuggestions: hideSuggestions ?? false };
    const args = { ...asking, contextValue, variableValues };
    const run = begin(args, variableValues);
    // The variables are no good. Nothing is executed yet, so the executor can say why.
    if (run === undefined) return normalizedExecutor(args) as ExecutionResult;
    const failed = (error: GraphQLError & { errors?: GraphQLError[] }) => {
      run.errors.push(...(error.errors ?? [error]));
      return resultOf(run, null);
    };
    try {
      const data = execute(run, fields, undefined, undefined);
      return isPromise<Results>(data)
        ? data.then((data) => resultOf(run, data), failed).then(asLate)
        : resultOf(run, data);
    } catch (error) {
      return failed(error as GraphQLError);
    }
  };
}

const resultOf = ({ errors }: Run, data: Results | null): ExecutionResult =>
  errors.length === 0 ? { data } : { errors, data };

/** Answers as late as the executor: where something fails, what goes on beside it may add errors. */
const asLate = (result: ExecutionResult): ExecutionResult => result;

const charsOf = ({ loc }: DocumentNode): number => (loc === undefined ? 0 : loc.end - loc.start);

/** Names of results with which an object is not what it seems. */
const oddNames = new Set(['__proto__', 'then']);

/** Directives can have a document mean something else each time. */
function isPlannable(document: DocumentNode): boolean {
  let plannable = true;
  const refuse = () => {
    plannable = false;
    return BREAK;
  };
  visit(document, {
    Directive: refuse,
    Field: ({ alias, name }) => (oddNames.has((alias ?? name).value) ? refuse() : undefined),
  });
  return plannable;
}
