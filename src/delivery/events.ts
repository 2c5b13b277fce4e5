import type { LedgerEntry } from '../../db/tables.ts';

/** What targets can be told of. */
export const eventTypes = [
  'credential.revoked',
  'credential.used_up',
  'target.late',
  'target.stuck',
  'webhook.test',
] as const;

export type EventType = (typeof eventTypes)[number];

const byAction: Readonly<Record<string, EventType>> = {
  revoke: 'credential.revoked',
  'use-up': 'credential.used_up',
  late: 'target.late',
  stuck: 'target.stuck',
  test: 'webhook.test',
};

/** The event that a ledger entry is; undefined where it is none. */
export const eventOf = ({
  action,
  outcome,
}: Pick<LedgerEntry, 'action' | 'outcome'>): EventType | undefined =>
  outcome === 'done' ? byAction[action] : undefined;
