import type { ObjectRef } from '@pothos/core';
import type { Kysely } from 'kysely';
import type { Tables, Target } from '../../db/tables.ts';
import type { Actor } from '../actor.ts';
import type { Builder, Extended } from '../graphql/builder.ts';
import { isIdCursor, newestFirst, type PageArgs } from '../graphql/page.ts';
import type { GraphTypes } from '../graphql/types.ts';
import { missingPermissions } from '../permissions.ts';
import { targetTypes } from './target-type.ts';

/** Adds `me.targets`. */
export function addTargets(
  builder: Builder,
  types: GraphTypes,
  me: ObjectRef<Extended, Actor>,
): void {
  builder.objectField(me, 'targets', (t) =>
    t.connection(
      {
        type: targetTypes(builder, types).target,
        nullable: true,
        description:
          'Each Target of the organization that is not removed, newest first. Null without the permission target:manage.',
        resolve: (actor, args, { gateway }) =>
          missingPermissions(actor.permissions, ['target:manage']).length > 0
            ? null
            : targetsPage(gateway.reader, actor.organizationId, args),
      },
      { name: 'TargetConnection', description: 'A page of a list of Target.' },
      { name: 'TargetEdge', description: 'One Target of a page.' },
    ),
  );
}

function targetsPage(db: Kysely<Tables>, organizationId: string, args: PageArgs) {
  return newestFirst(
    args,
    ({ id }: Target) => id,
    isIdCursor,
    async (stretch) => {
      let query = db
        .selectFrom('targets')
        .selectAll()
        .where('organization_id', '=', organizationId)
        .where('removed_at_ms', 'is', null);
      if (stretch.above !== undefined) query = query.where('id', '>', stretch.above);
      if (stretch.below !== undefined) query = query.where('id', '<', stretch.below);
      return await query
        .orderBy('id', stretch.ascending ? 'asc' : 'desc')
        .limit(stretch.limit)
        .execute();
    },
  );
}
