import type { LedgerEntry } from '../../db/tables.ts';
import type { GraphMutation } from '../graphql/change.ts';
import { addMutation } from '../graphql/mutation.ts';
import { type RevocableGraph, type Why, whyFields } from '../graphql/revocation.ts';
import { kindOf, kindValue } from '../graphql/types.ts';
import { performMany } from '../perform-many.ts';
import { Refusal, Unauthenticated } from '../refusals.ts';
import { checkComment, problem } from './input.ts';
import { ID_CHARS_MAX, IDS_MAX } from './revoke-many.ts';

interface Given extends Why {
  kind: string;
  ids: readonly string[];
}

/** What one id got. */
interface Item {
  readonly id: string;
  readonly result: LedgerEntry | Refusal;
}

/** The mutation that revokes many of one kind. */
export function revokeManyGraph(graphs: readonly RevocableGraph[]): GraphMutation {
  const operations = new Map(graphs.map(({ kind, byId }) => [kind, byId]));

  return {
    mutation: 'revokeMany',
    refusals: [],
    addTo(builder, errors, { types, revocation, error }) {
      const item = builder.objectRef<Item>('RevokeManyItem').implement({
        description: 'What one id of `revokeMany` got: a revocation, or an error.',
        fields: (t) => ({
          id: t.exposeID('id', { description: 'The id, as it was given.' }),
          revocation: t.field({
            type: revocation,
            nullable: true,
            description: 'The record of its revocation; null: there is an error.',
            resolve: ({ result }) => (result instanceof Refusal ? null : result),
          }),
          error: t.field({
            type: error,
            nullable: true,
            description:
              "Why it was not revoked: what its kind's own mutation would have answered.",
            resolve: ({ result }) => (result instanceof Refusal ? result : null),
          }),
        }),
      });
      const success = builder
        .objectRef<{ results: readonly Item[] }>('RevokeManySuccess')
        .implement({
          description: 'Each id was attempted, and what was revoked is on disk.',
          fields: (t) => ({
            results: t.field({
              type: [item],
              description: 'What each id got, in the order of the ids.',
              resolve: ({ results }) => results,
            }),
            revoked: t.int({
              description: 'How many were revoked.',
              resolve: ({ results }) => results.filter(isRevoked).length,
            }),
            refused: t.int({
              description: 'How many were not.',
              resolve: ({ results }) => results.filter((each) => !isRevoked(each)).length,
            }),
          }),
        });
      addMutation<Given, { results: readonly Item[] }>(builder, errors, {
        name: 'revokeMany',
        description: `Revokes up to ${IDS_MAX} of one kind, each as the mutation of that kind would, one after the other. The answer comes once all are attempted; should it get lost, the same once more finishes what is left.`,
        inputDescription: 'Which ones to revoke, and why.',
        fields: (t) => ({
          kind: t.field({
            type: types.kindEnum,
            required: true,
            description: 'What they all are.',
          }),
          ids: t.idList({
            required: true,
            description: `Each by its own id, or by its address as \`Revocation.target\` has it: two parts with a slash between. 1 to ${IDS_MAX}; at most ${ID_CHARS_MAX} characters each.`,
          }),
          ...whyFields(t, types),
        }),
        success,
        refusals: [],
        check: ({ kind, ids, comment }) => [
          problem(
            'kind',
            operations.has(kindOf(kind))
              ? undefined
              : `Must be one of ${[...operations.keys()].map(kindValue).join(', ')}`,
          ),
          problem(
            'ids',
            ids.length >= 1 && ids.length <= IDS_MAX ? undefined : `Must be 1 to ${IDS_MAX}`,
          ),
          problem(
            'ids',
            ids.some((id) => id.length > ID_CHARS_MAX)
              ? `Must have at most ${ID_CHARS_MAX} characters each`
              : undefined,
          ),
          checkComment(comment ?? undefined),
        ],
        resolve: async (actor, { kind, ids, reason, comment }, { gateway, requestId }) => {
          const operation = operations.get(kindOf(kind));
          if (operation === undefined) throw new Error(`${kind} has passed the check`);
          const results = await performMany(gateway, operation, ids, {
            ...({ actor, surface: 'graphql', requestId } as const),
            reason: reason ?? undefined,
            comment: comment ?? undefined,
          });
          // Whoever was lost before the first is told so as by every mutation.
          if (results[0] instanceof Unauthenticated) return results[0];
          return { results: results.map((result, i) => ({ id: ids[i] ?? '', result })) };
        },
      });
    },
  };
}

const isRevoked = ({ result }: Item): boolean => !(result instanceof Refusal);
