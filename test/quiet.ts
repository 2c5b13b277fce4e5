import type { Delivery } from '../db/tables.ts';
import type { Harness } from './harness.ts';
import { insert } from './kinds.ts';
import { addRevocation } from './target-creations.ts';
import { type Hook, makeHook } from './targets.ts';

/** A webhook that is told of nothing by itself. */
export const makeQuiet = async (h: Harness, name: string): Promise<Hook> =>
  await makeHook(h, name, undefined, { kinds: ['JWT_AUTH'] });

/** Records a revocation of nothing, and what became of telling a target so. */
export async function owe(
  h: Harness,
  { id }: Hook,
  more: Partial<Delivery> | ((atMs: number) => Partial<Delivery>) = {},
): Promise<Delivery> {
  const { organization_id } = await h.running.database.reader
    .selectFrom('targets')
    .select('organization_id')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  const { seq, at_ms } = await addRevocation(h, organization_id);
  const said = typeof more === 'function' ? more(at_ms) : more;
  const row = { seq, target_id: id, attempts: 1, notified_at_ms: at_ms, ...said };
  await insert(h, 'deliveries', row);
  return row as Delivery;
}
