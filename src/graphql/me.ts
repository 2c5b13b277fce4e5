import type { Actor } from '../actor.ts';
import { Refusal } from '../refusals.ts';
import type { Builder } from './builder.ts';
import { type GraphTypes, type TypeSpec, visibleRow } from './types.ts';

/** Adds `Query.me`: everything that a caller can read hangs off it. */
export function addMe(builder: Builder, specs: readonly TypeSpec[], types: GraphTypes) {
  const me = builder.objectRef<Actor>('Me').implement({
    description: 'The caller, and what it can see: its own organization, as far as it may.',
    fields: (t) => ({
      name: t.exposeString('name', { description: 'Who the caller is, as the ledger names it.' }),
      organization: t.string({
        description: "The slug of the caller's organization.",
        resolve: (actor) => actor.organizationSlug,
      }),
      permissions: t.stringList({
        description: 'What the caller may do.',
        resolve: (actor) => [...actor.permissions],
      }),
      node: t.field({
        type: types.revocable,
        nullable: true,
        description: 'Whatever can be revoked and has this id, where the caller may see it.',
        args: { id: t.arg.id({ required: true, description: 'The id.' }) },
        resolve: (_actor, { id }, context) => visibleRow(specs, id, context),
      }),
    }),
  });

  builder.queryType({
    description: 'What can be read.',
    fields: (t) => ({
      me: t.field({
        type: me,
        nullable: true,
        description: 'The caller; null where it is not authenticated.',
        resolve: (_root, _args, { actor }) => (actor instanceof Refusal ? null : actor),
      }),
    }),
  });
  return me;
}
