import { setTimeout } from 'node:timers/promises';
import { Gauge, type Registry } from '@prometheus-io/client';
import type { Gateway } from '../gateway.ts';
import { OUTBOX_COUNT_MAX, readOutbox } from './outbox.ts';

/** What of a gateway is looked at when metrics are read. */
export type Watched = Pick<Gateway, 'reader' | 'writes' | 'now' | 'credentials' | 'diskFree'>;

/** For how long metrics wait for the database; a silent one must not take all the others with it. */
export const SCRAPE_WAIT_MS = 2_000;

/** Everything that is no count, but as it is at the moment. */
export function createGauges(registers: Registry[]) {
  const gauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Gauge<Label>({ name, help, labelNames, registers });

  const up = gauge('gateway_database_up', 'Whether the database could be read just now.');
  const open = gauge(
    'gateway_outbox_open_deliveries',
    `Deliveries that targets are owed, up to ${OUTBOX_COUNT_MAX}. Gateways on one database all say the same.`,
    'target_kind',
  );
  const stuck = gauge(
    'gateway_outbox_stuck_deliveries',
    `Deliveries whose attempts are used up, up to ${OUTBOX_COUNT_MAX}. Gateways on one database all say the same.`,
    'target_kind',
  );
  const age = gauge(
    'gateway_outbox_oldest_age_seconds',
    'Age of the oldest open delivery; 0 where there is none. Gateways on one database all say the same.',
    'target_kind',
  );
  const queue = gauge(
    'gateway_write_queue_jobs',
    'Changes that wait for their turn to be written.',
  );
  let disk: Gauge | undefined;
  let watched: Watched | undefined;
  let reading: Promise<void> | undefined;

  async function readDatabase({ reader, now }: Watched): Promise<void> {
    try {
      for (const { kind, ...owed } of await readOutbox(reader)) {
        const labels = { target_kind: kind };
        open.set(labels, owed.open);
        stuck.set(labels, owed.stuck);
        age.set(labels, Math.max(now() - (owed.oldestAtMs ?? now()), 0) / 1000);
      }
      up.set(1);
    } catch {
      unknown();
    }
  }

  /** What cannot be read is not there: what it was before would look as if it still were so. */
  function unknown(): void {
    up.set(0);
    for (const each of [open, stuck, age]) each.reset();
  }

  return {
    watch(gateway: Watched): void {
      watched = gateway;
      if (gateway.diskFree === undefined) return;
      disk = gauge('gateway_database_disk_free_bytes', 'Free space on the disk of the database.');
    },
    async read(): Promise<void> {
      if (watched === undefined) return;
      queue.set(watched.writes.waiting());
      const free = await watched.diskFree?.().catch(() => undefined);
      if (free !== undefined) disk?.set(free);
      reading ??= readDatabase(watched).finally(() => {
        reading = undefined;
      });
      const done = await Promise.race([
        reading.then(() => true),
        setTimeout(SCRAPE_WAIT_MS, false, { ref: false }),
      ]);
      if (!done) unknown();
    },
  };
}
