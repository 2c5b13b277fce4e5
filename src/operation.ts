import type { Transaction } from 'kysely';
import type { LedgerEntry, Tables, Target } from '../db/tables.ts';
import type { Actor } from './actor.ts';
import { isCutOff } from './cut-offs.ts';
import { type Appended, append } from './ledger.ts';
import { type Refusal, type RefusalClass, Unauthenticated } from './refusals.ts';
import { chainOf, standing } from './standing.ts';
import type { Writes } from './writes.ts';

/** RFC 5280's words, as far as they make sense for a credential that is no certificate. */
export const revocationReasons = [
  'UNSPECIFIED',
  'KEY_COMPROMISE',
  'SUPERSEDED',
  'PRIVILEGE_WITHDRAWN',
  'CESSATION_OF_OPERATION',
] as const;

export type RevocationReason = (typeof revocationReasons)[number];

export type Surface = 'graphql' | 'rest' | 'oauth' | 'cli';

/** Who asks for an operation, through what, and why. */
export interface Call {
  readonly actor: Actor;
  readonly surface: Surface;
  readonly requestId: string;
  readonly reason?: RevocationReason | undefined;
  readonly comment?: string | undefined;
}

/** When an attempt takes place, and the id of its ledger entry. */
export interface Moment {
  readonly atMs: number;
  readonly entryId: string;
  /** For entries beside its own. */
  readonly newId: () => string;
}

/** Something that is revoked because something else takes its place: an entry of its own. */
export interface Superseded extends Addressed {
  readonly entryId: string;
  readonly targetId: string;
}

/** What came of running an operation. */
export type Outcome<Value, R extends Refusal> =
  | {
      done: Value;
      targetId: string;
      deliverTo?: readonly Target[] | undefined;
      target?: Addressed;
      superseded?: Superseded | undefined;
    }
  /** `unresolved`: the input named nothing, so what it says is not to be kept. */
  | { refused: R; targetId?: string | undefined; unresolved?: boolean; target?: Addressed };

/** What a target turned out to be, where the input did not say: a secret tells nothing of itself. */
export interface Addressed {
  readonly kind: string;
  readonly target: string;
}

/** What callers attempt; from `test` on, with targets alone. */
export type Action =
  | ('revoke' | 'create' | 'update')
  | ('test' | 'rotate' | 'resume' | 'close' | 'remove');

/** Something that changes what can be revoked. It lists every no that it can give. */
export interface Operation<Input, Value, R extends Refusal> {
  readonly action: Action;
  readonly kind: string;
  readonly refusals: readonly RefusalClass<R>[];
  /** The target as the caller addressed it. */
  describe(input: Input): string;
  /** Decides and changes. Only `tx` may be awaited. */
  run(tx: Transaction<Tables>, input: Input, call: Call, at: Moment): Promise<Outcome<Value, R>>;
}

/** What `perform` needs of the gateway. */
export interface Performer {
  readonly writes: Writes;
  readonly now: () => number;
  readonly newId: () => string;
  /** Names a text without telling it. */
  readonly fingerprint: (text: string) => string;
  /** Says that the ledger has grown, and which targets are owed something. */
  readonly announce: (owed: readonly Target[]) => void;
}

/** What was committed. */
export type Performed<Value, R extends Refusal> =
  | { done: Value; entry: LedgerEntry; deliverTo: readonly Target[] }
  | { refused: R | Unauthenticated };

/**
 * Runs an operation: the change, the ledger entry and the deliveries that it owes are one
 * transaction, and the answer follows its commit. The caller's own credential is read again inside
 * that transaction, so that nothing done after its revocation counts.
 */
export async function perform<Input, Value, R extends Refusal>(
  gateway: Performer,
  operation: Operation<Input, Value, R>,
  input: Input,
  call: Call,
): Promise<Performed<Value, R>> {
  const asAddressed = () => ({ kind: operation.kind, target: operation.describe(input) });
  let owed: readonly Target[] = [];
  const performed = await gateway.writes.run(async (tx): Promise<Performed<Value, R>> => {
    owed = [];
    const { newId } = gateway;
    const at: Moment = { atMs: gateway.now(), entryId: newId(), newId };
    const lost = await lostStanding(tx, call, at.atMs);
    if (lost !== undefined) return { refused: lost };

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
      return { refused: outcome.refused };
    }
    const { deliverTo = [], superseded } = outcome;
    if (superseded !== undefined) owed = await recordSuperseded(tx, call, at, superseded);
    const result = { target_id: outcome.targetId, outcome: 'done', refusal: null } as const;
    const addressed = { ...(outcome.target ?? asAddressed()), ...result };
    const appended = await record(tx, operation.action, call, at, addressed, deliverTo);
    owed = [...owed, ...appended.owed];
    return { done: outcome.done, entry: appended.entry, deliverTo };
  });
  gateway.announce(owed);
  return performed;
}

async function lostStanding(
  tx: Transaction<Tables>,
  { actor, surface }: Call,
  nowMs: number,
): Promise<Unauthenticated | undefined> {
  // Whoever is at the command line holds the database itself.
  if (surface === 'cli') return undefined;
  const reason = standing(
    await chainOf(tx, 'id', actor.credentialId ?? actor.organizationId),
    nowMs,
  );
  if (reason !== undefined) return new Unauthenticated(reason);
  const { foreign, organizationId } = actor;
  const cutOff = foreign !== undefined && (await isCutOff(tx, organizationId, foreign));
  return cutOff ? new Unauthenticated('cutOff', true) : undefined;
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
