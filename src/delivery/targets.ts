import type { Kysely } from 'kysely';
import type { LedgerEntry, Tables, Target } from '../../db/tables.ts';
import { prepare } from '../database/prepare.ts';
import { type EventType, eventOf } from './events.ts';

/** Every kind of target. */
export const targetKinds = ['environment', 'webhook', 'enforcement-point'] as const;

export type TargetKind = (typeof targetKinds)[number];

/** The environments that must learn what changes in a project, by name. */
export async function liveEnvironments(db: Kysely<Tables>, projectId: string): Promise<Target[]> {
  return await db
    .selectFrom('targets')
    .selectAll()
    .where('scope_id', '=', projectId)
    .where('kind', '=', 'environment')
    .where('removed_at_ms', 'is', null)
    .orderBy('name')
    .execute();
}

/** What ends a credential: the only events that an enforcement point waits for. */
const ends: readonly EventType[] = ['credential.revoked', 'credential.used_up'];

/** The webhooks and enforcement points of the organization that an entry concerns. */
export async function subscribersOf(
  db: Kysely<Tables>,
  entry: Omit<LedgerEntry, 'seq'>,
): Promise<Target[]> {
  const event = eventOf(entry);
  // A test is for one webhook alone, which its asker names.
  if (event === undefined || event === 'webhook.test') return [];
  const { rows } = await subscribers(db, { organizationId: entry.organization_id });
  return rows.filter((target) => {
    if (ends.includes(event)) {
      const { events, kinds } = target;
      return target.kind !== 'webhook' || (isListed(event, events) && isListed(entry.kind, kinds));
    }
    // Who is behind with revocations is not held up by what is told of others.
    return (
      target.kind === 'webhook' && target.late_since_ms === null && isListed(event, target.events)
    );
  });
}

const subscribers = prepare<{ organizationId: string }, Target>((db, slot) =>
  db
    .selectFrom('targets')
    .selectAll()
    .where('organization_id', '=', slot('organizationId'))
    .where('kind', 'in', ['webhook', 'enforcement-point'])
    .where('removed_at_ms', 'is', null),
);

/** Whether a JSON list has the value; no list has all. */
const isListed = (value: string, list: string | null): boolean =>
  list === null || (JSON.parse(list) as string[]).includes(value);
