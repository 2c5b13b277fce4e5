import type { FastifyReply, FastifyRequest } from 'fastify';
import type { LedgerEntry, Target } from '../../db/tables.ts';
import type { Call } from '../operation.ts';
import type { Refusal } from '../refusals.ts';

/** Follows what the gateway does from a request to the targets; there is nobody to tell where traces are off. */
export interface Traces {
  /** A request has come. */
  received(request: FastifyRequest): void;
  /** It has been answered, or its client has left. */
  answered(request: FastifyRequest, reply: FastifyReply): void;
  /** An operation is to be carried out for a request. */
  operation(
    operation: { readonly action: string; readonly kind: string },
    call: Call,
  ): OperationTrace;
  /** A message is on its way to a target. */
  attempt(target: Target, messageId: string): AttemptTrace;
  /** Exports what is left; false where that could not be done in time. */
  close(): Promise<boolean>;
}

/** An operation that waits for its turn, decides, and is committed. */
export interface OperationTrace {
  /** Its turn has come; again, where it has collided with another. */
  begun(): void;
  /** What is left is the commit. */
  decided(): void;
  /** It ends with this, which need not be awaited. */
  endsWith(committed: Promise<Committed>): void;
}

/** What operations came to, and whether somebody must learn of it. */
export interface Committed {
  readonly results: readonly (LedgerEntry | Refusal)[];
  readonly owed: readonly Target[];
}

/** One attempt to tell a target. */
export interface AttemptTrace {
  /** What tells the target of the trace (W3C Trace Context). */
  readonly headers: Readonly<Record<string, string>>;
  /** It ends with this, which need not be awaited: what went wrong, in words. */
  endsWith(sent: Promise<string | undefined>): void;
}
