import type { FastifyBaseLogger } from 'fastify';
import type { Kysely } from 'kysely';
import type { Tables } from '../db/tables.ts';
import type { Authenticate } from './authenticate.ts';
import type { AnyCredential } from './credentials/kinds.ts';
import type { Delivery } from './delivery/deliver.ts';
import type { Performer } from './operation.ts';
import type { Refusal } from './refusals.ts';
import type { TokenIssuer } from './tokens.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What was refused, for the log. */
    refusal?: Refusal;
  }
}

/** Everything that the surfaces work with. */
export interface Gateway extends Performer, TokenIssuer {
  readonly reader: Kysely<Tables>;
  readonly authenticate: Authenticate;
  readonly delivery: Delivery;
  readonly credentials: readonly AnyCredential[];
  readonly log: FastifyBaseLogger;
}
