import pg from 'pg';
import { Conflict, Unavailable } from '../unavailable.ts';

/**
 * SQLSTATEs, by how they begin, of a server that cannot do it now and may later: connections, resources,
 * operators' interventions, the system below; a standby that takes no writes; who may not come in yet.
 */
const temporary = /^(?:08|28|40003|53|57|58|25006|25P0[34]|3D000|55P03|5500[06])/;

/** Serialization failures and deadlocks. */
const conflicts = /^(?:40001|40P01)$/;

/** What an error of PostgreSQL, or of the way to it, means for the gateway. */
export function meaningOf(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof Unavailable) return error;
  if (!(error instanceof pg.DatabaseError)) {
    // The driver has no class for a connection that is lost, refused, or silent for too long.
    if (error instanceof TypeError || error instanceof RangeError) return error;
    return new Unavailable(`The database does not answer: ${error.message}`, { cause: error });
  }
  const { code = '', constraint } = error;
  const message = `The database cannot do it for now: ${code} ${error.message}`;
  // The next number of the ledger, taken by two at once.
  const sameNumber = code === '23505' && constraint === 'ledger_pkey';
  if (conflicts.test(code) || sameNumber || /cached plan must not change/.test(error.message)) {
    return new Conflict(message, { cause: error });
  }
  return temporary.test(code) ? new Unavailable(message, { cause: error }) : error;
}

/** Whether it was the connection that failed, or whoever is behind it said nothing in time. */
export const isLost = (error: unknown): boolean =>
  error instanceof Unavailable && !(error.cause instanceof pg.DatabaseError);
