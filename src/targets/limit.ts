import type { Kysely } from 'kysely';
import type { Tables } from '../../db/tables.ts';
import type { TargetKind } from '../delivery/targets.ts';
import { NameTaken, TooManyTargets } from '../refusals.ts';
import { isNameTaken } from './find.ts';

/** Each revocation writes a row for each target, so there are no more than these of a scope. */
const WEBHOOKS_MAX = 100;
const ENFORCEMENT_POINTS_MAX = 200;
const ENVIRONMENTS_MAX = 100;

/** How many targets of a kind their scope has at the most: a project its environments, the organization the others. */
export const targetsMax: Record<TargetKind, number> = {
  webhook: WEBHOOKS_MAX,
  'enforcement-point': ENFORCEMENT_POINTS_MAX,
  environment: ENVIRONMENTS_MAX,
};

/** Why no target of this name may be made in a scope; undefined where one may. */
export async function refusalOfNew(
  tx: Kysely<Tables>,
  scopeId: string,
  kind: TargetKind,
  name: string,
): Promise<NameTaken | TooManyTargets | undefined> {
  if (await isNameTaken(tx, scopeId, kind, name)) return new NameTaken();
  const { count } = await tx
    .selectFrom('targets')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('scope_id', '=', scopeId)
    .where('kind', '=', kind)
    .where('removed_at_ms', 'is', null)
    .executeTakeFirstOrThrow();
  return count < targetsMax[kind] ? undefined : new TooManyTargets(kind, count);
}
