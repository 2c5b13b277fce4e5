import DataLoader from 'dataloader';
import type { Kysely } from 'kysely';
import type { Revocable, Tables } from '../../db/tables.ts';

/** How to read a value for many keys with one query. */
export interface Loader<Key, Value> {
  /** Values in the order of the keys. All belong to the organization, or are undefined. */
  batch(db: Kysely<Tables>, organizationId: string, keys: readonly Key[]): Promise<Value[]>;
}

/** Reads for one request: what is asked for in one tick becomes one query for each loader. */
export class Loaders {
  readonly #db: Kysely<Tables>;
  readonly #organizationId: string;
  // biome-ignore lint/suspicious/noExplicitAny: each loader is paired with its own key and value by load().
  readonly #started = new Map<Loader<any, any>, DataLoader<any, any, any>>();

  constructor(db: Kysely<Tables>, organizationId: string) {
    this.#db = db;
    this.#organizationId = organizationId;
  }

  async load<Key, Value>(loader: Loader<Key, Value>, key: Key): Promise<Value> {
    let started = this.#started.get(loader) as DataLoader<Key, Value, string> | undefined;
    if (started === undefined) {
      started = new DataLoader<Key, Value, string>(
        (keys) => loader.batch(this.#db, this.#organizationId, keys),
        { maxBatchSize: BATCH_MAX, cacheKeyFn: (asked) => JSON.stringify(asked) },
      );
      this.#started.set(loader, started);
    }
    return await started.load(key);
  }
}

/** Keys of one query at the most: engines limit the parts of a statement. */
const BATCH_MAX = 100;

/** A row by its id. */
export const rowById: Loader<string, Revocable | undefined> = {
  async batch(db, organizationId, ids) {
    const rows = await db
      .selectFrom('revocables')
      .selectAll()
      .where('id', 'in', ids)
      .where('organization_id', '=', organizationId)
      .execute();
    return inOrder(ids, rows);
  },
};

/** Puts rows in the order of the ids that were asked for. */
export function inOrder<Row extends { id: string }>(
  ids: readonly string[],
  rows: readonly Row[],
): (Row | undefined)[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id));
}

/** A page of the children that a row has of one kind, newest first. */
export interface ChildrenPage {
  readonly parentId: string;
  readonly kind: string;
  /** Only ids greater than this. */
  readonly above?: string | undefined;
  /** Only ids less than this. */
  readonly below?: string | undefined;
  readonly limit: number;
  /** Oldest first. */
  readonly ascending: boolean;
}

/** Pages of children: an index lookup for each parent, all parents in one query. */
export const childrenPage: Loader<ChildrenPage, Revocable[]> = {
  async batch(db, organizationId, pages) {
    const page = ({ parentId, kind, above, below, limit, ascending }: ChildrenPage, i: number) => {
      let query = db
        .selectFrom('revocables')
        .selectAll()
        .select((eb) => eb.val(i).as('page'))
        .where('parent_id', '=', parentId)
        .where('kind', '=', kind)
        .where('organization_id', '=', organizationId);
      if (above !== undefined) query = query.where('id', '>', above);
      if (below !== undefined) query = query.where('id', '<', below);
      query = query.orderBy('id', ascending ? 'asc' : 'desc').limit(limit);
      // A limit inside a union needs a query of its own around it.
      return db.selectFrom(query.as('page')).selectAll();
    };
    const [first, ...others] = pages.map(page);
    if (first === undefined) return [];
    const rows = await others.reduce((all, next) => all.unionAll(next), first).execute();
    const found = pages.map((): Revocable[] => []);
    for (const { page: i, ...row } of rows) found[Number(i)]?.push(row);
    return found;
  },
};
