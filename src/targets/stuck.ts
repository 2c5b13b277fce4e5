import type { Loader } from '../credentials/load.ts';
import { isStuck } from '../delivery/open.ts';
import type { Stretch } from '../graphql/page.ts';

/** A delivery whose attempts are used up. */
export interface Stuck {
  readonly seq: number;
  /** The ledger entry. */
  readonly entryId: string;
  readonly attempts: number;
  readonly lastError: string | null;
  readonly atMs: number | null;
}

export type StuckPage = Stretch & { readonly targetId: string };

/** Pages of what is stuck, by the place in the ledger: an index lookup for each target, all in one query. */
export const stuckPage: Loader<StuckPage, Stuck[]> = {
  async batch(db, organizationId, pages) {
    const page = ({ targetId, above, below, limit, ascending }: StuckPage, i: number) => {
      let query = db
        .selectFrom('deliveries')
        .innerJoin('ledger', 'ledger.seq', 'deliveries.seq')
        .select(['deliveries.seq', 'ledger.id as entryId', 'attempts'])
        .select(['last_error as lastError', 'stuck_at_ms as atMs'])
        .select((eb) => eb.val(i).as('page'))
        .where('deliveries.target_id', '=', targetId)
        .where('ledger.organization_id', '=', organizationId)
        .where(isStuck);
      if (above !== undefined) query = query.where('deliveries.seq', '>', Number(above));
      if (below !== undefined) query = query.where('deliveries.seq', '<', Number(below));
      query = query.orderBy('deliveries.seq', ascending ? 'asc' : 'desc').limit(limit);
      // A limit inside a union needs a query of its own around it.
      return db.selectFrom(query.as('page')).selectAll();
    };
    const [first, ...others] = pages.map(page);
    if (first === undefined) return [];
    const rows = await others.reduce((all, next) => all.unionAll(next), first).execute();
    const found = pages.map((): Stuck[] => []);
    for (const { page: i, ...row } of rows) found[Number(i)]?.push(row);
    return found;
  },
};
