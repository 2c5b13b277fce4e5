import type { FastifyBaseLogger } from 'fastify';
import type { Kysely } from 'kysely';
import type { Tables, Target } from '../../db/tables.ts';
import type { Writes } from '../writes.ts';
import type { Claims } from './claims.ts';
import { isOpen, isStuck } from './open.ts';
import { changePortion } from './portion.ts';

/** Why what a removed target is owed is closed. */
export const TARGET_REMOVED = 'The target was removed';

/** Closes the oldest deliveries that a removed target is owed; whether there is more. */
export async function closePortion(
  tx: Kysely<Tables>,
  targetId: string,
  by: string,
  atMs: number,
): Promise<boolean> {
  const set = { closed_at_ms: atMs, closed_by: by, closed_reason: TARGET_REMOVED };
  for (const state of [isOpen, isStuck]) {
    const { upTo } = await changePortion(tx, { targetId, state, set });
    if (upTo !== undefined) return true;
  }
  return false;
}

/**
 * Closes a first portion of what a target is owed that is being removed.
 *
 * @returns what its row says as long as there is more, which `createCloseRemoved` closes
 */
export async function closeFirst(
  tx: Kysely<Tables>,
  targetId: string,
  by: string,
  atMs: number,
): Promise<Pick<Target, 'late_since_ms'>> {
  return { late_since_ms: (await closePortion(tx, targetId, by, atMs)) ? atMs : null };
}

interface Options {
  readonly reader: Kysely<Tables>;
  readonly writes: Writes;
  readonly claims: Claims;
  readonly log: FastifyBaseLogger;
  readonly stopping: AbortSignal;
}

/** Closes what removed targets are still owed, in parts, whoever removed them and whoever began with it. */
export function createCloseRemoved({ reader, writes, claims, log, stopping }: Options) {
  let running: Promise<void> | undefined;

  async function closeAll(): Promise<void> {
    for (const { id, removed_at_ms, revoked_by } of await unclosed(reader)) {
      if (stopping.aborted) return;
      // Gateways that close the same would only be in each other's way.
      if (!(await claims.take(id))) continue;
      const atMs = removed_at_ms ?? 0;
      const next = () =>
        writes.runPart(async (tx) => {
          if (await closePortion(tx, id, revoked_by ?? 'gateway', atMs)) return true;
          await tx
            .updateTable('targets')
            .set({ late_since_ms: null })
            .where('id', '=', id)
            .execute();
          return false;
        });
      try {
        while (!stopping.aborted && (await next()));
      } finally {
        claims.forget(id);
      }
      await writes.run((tx) => claims.release(tx, id));
    }
  }

  return {
    /** Sees to it that it is being done. */
    wake(): void {
      running ??= closeAll()
        .catch((fault: unknown) => log.error({ err: fault }, 'deliveries not closed'))
        .finally(() => {
          running = undefined;
        });
    },
    /** Resolves when nothing is being closed. */
    idle: async () => {
      await running;
    },
  };
}

/** Removed targets that are still owed something; of a point it is known who revoked it. */
const unclosed = (db: Kysely<Tables>) =>
  db
    .selectFrom('targets')
    .leftJoin('revocables', 'revocables.id', 'targets.id')
    .select(['targets.id', 'targets.removed_at_ms', 'revocables.revoked_by'])
    .where('late_since_ms', 'is not', null)
    .where('removed_at_ms', 'is not', null)
    .execute();
