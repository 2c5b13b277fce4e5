import type { Transaction } from 'kysely';
import type { LedgerEntry, Tables, Target } from '../db/tables.ts';
import { isCutOff } from './cut-offs.ts';
import { type Appended, append } from './ledger.ts';
import type { Call, Moment, Operation, Performed, Performer, Superseded } from './operation.ts';
import { type Refusal, Unauthenticated } from './refusals.ts';
import { chainOf, standing } from './standing.ts';

/** What attempts came to, and whom they owe something. */
export interface Attempted<T> {
  readonly performed: T;
  readonly owed: readonly Target[];
}

/** Runs an operation within a transaction, and records what came of it. */
export async function attempt<Input, Value, R extends Refusal>(
  tx: Transaction<Tables>,
  gateway: Performer,
  operation: Operation<Input, Value, R>,
  input: Input,
  call: Call,
): Promise<Attempted<Performed<Value, R>>> {
  const asAddressed = () => ({ kind: operation.kind, target: operation.describe(input) });
  const { newId } = gateway;
  const at: Moment = { atMs: gateway.now(), entryId: newId(), newId };
  const outcome = await operation.run(tx, input, call, at);
  if ('refused' in outcome) {
    assertListed(operation, outcome.refused);
    const { kind, target } = outcome.target ?? asAddressed();
    await record(tx, operation.action, call, at, {
      kind,
      target_id: outcome.targetId ?? null,
      target: outcome.unresolved ? gateway.fingerprint(target) : target,
      outcome: 'refused',
      refusal: outcome.refused.code,
    });
    return { performed: { refused: outcome.refused }, owed: [] };
  }
  const { deliverTo = [], superseded } = outcome;
  const before = superseded ? await recordSuperseded(tx, call, at, superseded) : [];
  const result = { target_id: outcome.targetId, outcome: 'done', refusal: null } as const;
  const addressed = { ...(outcome.target ?? asAddressed()), ...result };
  const { entry, owed } = await record(tx, operation.action, call, at, addressed, deliverTo);
  const performed = { done: outcome.done, entry, deliverTo, superseded };
  return { performed, owed: [...before, ...owed] };
}

/** The ids of the caller's credential and of all above it, and why that counts no more, if so. */
export async function readCaller(
  tx: Transaction<Tables>,
  { actor, surface }: Call,
  nowMs: number,
): Promise<{ ids: readonly string[]; lost?: Unauthenticated }> {
  // Whoever is at the command line holds the database itself.
  if (surface === 'cli') return { ids: [] };
  const { credentialId, foreign, organizationId } = actor;
  const chain = await chainOf(tx, 'id', credentialId ?? organizationId);
  const ids = chain.map(({ id }) => id);
  const reason = standing(chain, nowMs);
  if (reason !== undefined) return { ids, lost: new Unauthenticated(reason) };
  const cutOff = foreign !== undefined && (await isCutOff(tx, organizationId, foreign));
  return cutOff ? { ids, lost: new Unauthenticated('cutOff', true) } : { ids };
}

/** Whatever ends a credential is a revocation, also where nobody asked for it by that name. */
async function recordSuperseded(
  tx: Transaction<Tables>,
  call: Call,
  { atMs }: Moment,
  { entryId, targetId, ...addressed }: Superseded,
): Promise<readonly Target[]> {
  const result = { target_id: targetId, outcome: 'done', refusal: null } as const;
  const because = { ...call, reason: 'SUPERSEDED', comment: undefined } as const;
  const entry = { ...addressed, ...result };
  return (await record(tx, 'revoke', because, { atMs, entryId }, entry)).owed;
}

async function record(
  tx: Transaction<Tables>,
  action: string,
  { actor, reason, comment, surface, requestId }: Call,
  { entryId, atMs }: Pick<Moment, 'entryId' | 'atMs'>,
  result: Pick<LedgerEntry, 'kind' | 'target_id' | 'target' | 'outcome' | 'refusal'>,
  deliverTo: readonly Target[] = [],
): Promise<Appended> {
  const entry = {
    id: entryId,
    organization_id: actor.organizationId,
    at_ms: atMs,
    action,
    ...result,
    reason: reason ?? null,
    comment: comment ?? null,
    actor: actor.name,
    actor_id: actor.credentialId,
    surface,
    request_id: requestId,
  };
  return await append(tx, entry, deliverTo);
}

/** The compiler allows an operation to list less than it can refuse; this does not. */
function assertListed(operation: Operation<never, unknown, Refusal>, refusal: Refusal): void {
  if (!operation.refusals.some((listed) => refusal instanceof listed)) {
    throw new Error(`${operation.action} ${operation.kind} does not list ${refusal.code}`);
  }
}
