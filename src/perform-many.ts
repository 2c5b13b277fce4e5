import type { Transaction } from 'kysely';
import type { LedgerEntry, Tables, Target } from '../db/tables.ts';
import { type Attempted, attempt, readCaller } from './attempt.ts';
import type { Call, Operation, Performer } from './operation.ts';
import { Refusal, type Unauthenticated } from './refusals.ts';

/** For how long one transaction takes up attempts: others wait until its commit is on disk. */
export const CHUNK_MS = 12;

/** What an attempt came to: its entry in the ledger, or why it was refused. */
type Result<R extends Refusal> = LedgerEntry | R | Unauthenticated;

/**
 * Runs an operation for input after input, each as `perform` would, in as many transactions as it takes
 * to hold nobody up. Where one of them fails this throws, and what was committed before stays.
 */
export async function performMany<Input, R extends Refusal>(
  gateway: Performer,
  operation: Operation<Input, unknown, R>,
  inputs: readonly Input[],
  call: Call,
): Promise<Result<R>[]> {
  const results: Result<R>[] = [];
  while (results.length < inputs.length) {
    const left = inputs.slice(results.length);
    const traced = gateway.traces?.operation(operation, call);
    const committed = gateway.writes.runPart(async (tx) => {
      traced?.begun();
      const attempted = await attemptSome(tx, gateway, operation, left, call);
      traced?.decided();
      return attempted;
    });
    traced?.endsWith(committed.then(({ performed, owed }) => ({ results: performed, owed })));
    const { performed, owed } = await committed;
    results.push(...performed);
    for (const result of gateway.metrics === undefined ? [] : performed) {
      if (result instanceof Refusal) gateway.metrics?.refused(result.code, call.surface);
      else gateway.metrics?.revoked(result.kind);
    }
    gateway.announce(owed);
  }
  return results;
}

/** Attempts as many as there is time for; once one has ended the caller, all others are refused. */
async function attemptSome<Input, R extends Refusal>(
  tx: Transaction<Tables>,
  gateway: Performer,
  operation: Operation<Input, unknown, R>,
  inputs: readonly Input[],
  call: Call,
): Promise<Attempted<Result<R>[]>> {
  const until = performance.now() + CHUNK_MS;
  const results: Result<R>[] = [];
  const owing = new Map<string, Target>();
  let caller = await readCaller(tx, call, gateway.now());
  for (const input of inputs) {
    if (caller.lost !== undefined) {
      results.push(caller.lost);
      continue;
    }
    const { performed, owed } = await attempt(tx, gateway, operation, input, call);
    results.push('refused' in performed ? performed.refused : performed.entry);
    for (const target of owed) owing.set(target.id, target);
    if ('done' in performed && caller.ids.includes(performed.entry.target_id ?? '')) {
      caller = await readCaller(tx, call, gateway.now());
    } else if (performance.now() > until) {
      break;
    }
  }
  const owed = [...owing.values()];
  await gateway.claim(tx, owed);
  return { performed: results, owed };
}
