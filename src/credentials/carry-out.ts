import type { LedgerEntry } from '../../db/tables.ts';
import type { Delivery } from '../delivery/deliver.ts';
import type { Attempt } from '../delivery/first-attempts.ts';
import { type Call, type Operation, type Performer, perform } from '../operation.ts';
import type { Refusal, Unauthenticated } from '../refusals.ts';

/** What a caller is told of an operation. */
export type Answered<Value, R extends Refusal> =
  | { refused: R | Unauthenticated }
  | { done: Value; entry: LedgerEntry; attempts: readonly Attempt[] };

/** Performs, and once that is committed tells those places that the answer waits for. */
export async function carryOut<Input, Value, R extends Refusal>(
  gateway: Performer & { readonly delivery: Delivery },
  operation: Operation<Input, Value, R>,
  input: Input,
  call: Call,
): Promise<Answered<Value, R>> {
  const performed = await perform(gateway, operation, input, call);
  if ('refused' in performed) return performed;
  const { done, entry, deliverTo } = performed;
  const attempts =
    deliverTo.length > 0 ? await gateway.delivery.firstAttempts(entry, deliverTo) : [];
  return { done, entry, attempts };
}
