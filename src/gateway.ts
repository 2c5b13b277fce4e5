import type { FastifyBaseLogger } from 'fastify';
import type { Kysely } from 'kysely';
import type { Tables } from '../db/tables.ts';
import type { Actor } from './actor.ts';
import type { Authenticate } from './authenticate.ts';
import type { AnyCredential } from './credentials/kinds.ts';
import type { Delivery } from './delivery/deliver.ts';
import type { SecretKey } from './keys/secret-key.ts';
import type { LedgerTail } from './ledger-tail.ts';
import type { MutationOutcome } from './observability/answered.ts';
import type { Performer } from './operation.ts';
import type { Outbound } from './outbound.ts';
import type { Refusal } from './refusals.ts';
import type { TokenIssuer } from './tokens.ts';
import type { RemoteKeys } from './verify/remote-keys.ts';
import type { Verify } from './verify/verify.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What was refused. */
    refusal?: Refusal;
    /** Who asks, where that is known. */
    actor?: Actor;
    /** The mutations that were carried out, in order, and what came of each. */
    mutations?: MutationOutcome[];
    /** Whether it was refused since too much was asked. */
    limited?: boolean;
  }
}

/**
 * What an address is for. In production keys must not be read where others could answer, nor webhooks
 * be told where others could read; messages go to environments, which may be inside.
 */
export type UrlPurpose = 'keys' | 'messages' | 'webhooks';

/** Everything that the surfaces work with. */
export interface Gateway extends Performer, TokenIssuer {
  readonly reader: Kysely<Tables>;
  /** Whether a secret or a token is good. */
  readonly verify: Verify;
  readonly authenticate: Authenticate;
  /** Seals what must not lie open in the database. */
  readonly secretKey: SecretKey;
  /** `fetch` for addresses that somebody else chose. */
  readonly outbound: Outbound;
  /** What is wrong with such an address on the face of it. */
  readonly urlProblem: (url: string, purpose: UrlPurpose) => string | undefined;
  readonly remoteKeys: RemoteKeys;
  /** The issuers outside whose JWTs are accepted. */
  readonly trustedIssuers: readonly string[];
  readonly delivery: Delivery;
  /** Follows the ledger as it grows. */
  readonly tail: LedgerTail;
  /** Within how long every target should have acknowledged a revocation. */
  readonly effectBoundMs: number;
  readonly credentials: readonly AnyCredential[];
  readonly log: FastifyBaseLogger;
  /** Proves that the database takes what is written. */
  readonly probe: () => Promise<void>;
  /** How much is free on the disk of the database, in bytes, where that is the gateway's own. */
  readonly diskFree?: (() => Promise<number>) | undefined;
}
