import type { Transaction } from 'kysely';
import type { LedgerEntry, Tables, Target } from '../db/tables.ts';
import type { Actor } from './actor.ts';
import { type Attempted, attempt, readCaller } from './attempt.ts';
import type { Metrics } from './observability/metrics.ts';
import type { Traces } from './observability/traces.ts';
import type { Refusal, RefusalClass, Unauthenticated } from './refusals.ts';
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
  /** Has this gateway tell those that are owed something, unless another does: for the transaction. */
  readonly claim: (tx: Transaction<Tables>, owed: readonly Target[]) => Promise<void>;
  /** Says that the ledger has grown, and which targets are owed something. */
  readonly announce: (owed: readonly Target[]) => void;
  readonly metrics?: Metrics | undefined;
  readonly traces?: Traces | undefined;
}

/** What was committed. */
export type Performed<Value, R extends Refusal> =
  | {
      done: Value;
      entry: LedgerEntry;
      deliverTo: readonly Target[];
      superseded?: Superseded | undefined;
    }
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
  const traced = gateway.traces?.operation(operation, call);
  const committed = gateway.writes.run(async (tx): Promise<Attempted<Performed<Value, R>>> => {
    traced?.begun();
    const { lost } = await readCaller(tx, call, gateway.now());
    if (lost !== undefined) return { performed: { refused: lost }, owed: [] };
    const attempted = await attempt(tx, gateway, operation, input, call);
    await gateway.claim(tx, attempted.owed);
    traced?.decided();
    return attempted;
  });
  traced?.endsWith(
    committed.then(({ performed, owed }) => ({ results: [resultOf(performed)], owed })),
  );
  const { performed, owed } = await committed;
  if (gateway.metrics !== undefined) countRevocations(gateway.metrics, performed);
  gateway.announce(owed);
  return performed;
}

const resultOf = <Value, R extends Refusal>(performed: Performed<Value, R>) =>
  'refused' in performed ? performed.refused : performed.entry;

function countRevocations<Value, R extends Refusal>(
  metrics: Metrics,
  performed: Performed<Value, R>,
): void {
  if ('refused' in performed) return;
  const { entry, superseded } = performed;
  if (entry.action === 'revoke') metrics.revoked(entry.kind);
  if (superseded !== undefined) metrics.revoked(superseded.kind);
}
