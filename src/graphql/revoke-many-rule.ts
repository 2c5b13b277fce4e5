import type { ASTVisitor, FieldNode, SelectionSetNode, ValidationContext } from 'graphql';
import { badRequest } from './bad-request.ts';

/** Fields in all that an operation may select under `revokeMany`: each is answered for each of its ids. */
export const REVOKE_MANY_FIELDS_MAX = 30;

interface Selecting {
  readonly selectionSet?: SelectionSetNode | undefined;
}

/** Sums up over what is selected, as often as it is; each fragment is looked into once. */
function createSum(context: ValidationContext, countOf: (field: FieldNode) => number) {
  const known = new Map<string, number>();
  function ofFragment(name: string): number {
    const value = known.get(name);
    if (value !== undefined) return value;
    // Fragments that spread themselves are refused elsewhere.
    known.set(name, 0);
    const counted = sum(context.getFragment(name) ?? {});
    known.set(name, counted);
    return counted;
  }
  function sum({ selectionSet }: Selecting): number {
    let total = 0;
    for (const selection of selectionSet?.selections ?? []) {
      if (selection.kind === 'Field') total += countOf(selection);
      else if (selection.kind === 'InlineFragment') total += sum(selection);
      else total += ofFragment(selection.name.value);
    }
    return total;
  }
  return sum;
}

/** Has an operation revoke many once, with an answer of a bounded size, whatever aliases and fragments it has. */
export function revokeManyRule(context: ValidationContext): ASTVisitor {
  const isMany = (field: FieldNode) => field.name.value === 'revokeMany';
  const fieldsUnder = createSum(context, (field): number => 1 + fieldsUnder(field));
  const timesIn = createSum(context, (field) => (isMany(field) ? 1 : 0));
  const fieldsOfIt = createSum(context, (field) => (isMany(field) ? fieldsUnder(field) : 0));
  return {
    OperationDefinition(operation) {
      if (timesIn(operation) > 1) {
        context.reportError(badRequest('An operation can have revokeMany once.'));
      } else if (fieldsOfIt(operation) > REVOKE_MANY_FIELDS_MAX) {
        context.reportError(
          badRequest(
            `An operation can select ${REVOKE_MANY_FIELDS_MAX} fields under revokeMany at the most, those of fragments counted.`,
          ),
        );
      }
    },
  };
}
