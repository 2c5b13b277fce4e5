import type { Kysely } from 'kysely';
import type { Revocable, Tables } from '../../db/tables.ts';
import type { Permission } from '../permissions.ts';
import type { NotFound, Refusal, RefusalClass } from '../refusals.ts';

/** One part of a credential's address, as the caller gives it. */
export interface InputField {
  readonly description: string;
  /** Whether anything but a UUID is malformed, and not just unknown. */
  readonly uuid?: true;
}

/** Where an input leads, once its owner is found in the caller's organization. */
export interface Located<R extends Refusal> {
  /** The newest credential at that address, revoked or not; or why there is none. */
  readonly target: Revocable | R | NotFound;
  /** The name of the project in which permissions are asked for. */
  readonly project?: string;
  /** The row whose environments must learn of the revocation. */
  readonly tells?: string;
}

/**
 * What a kind of credential must say.
 *
 * @typeParam Field the names of the input fields
 * @typeParam Answer what surfaces show of a revoked credential, beyond its row
 * @typeParam R the refusals that only this kind gives
 */
export interface Kind<
  Field extends string = string,
  Answer = unknown,
  R extends Refusal = Refusal,
> {
  /** The folder, and the kind of its rows. */
  readonly name: string;
  /** What people call it, in a sentence. */
  readonly noun: string;
  /** What is missing when `locate` finds nothing. */
  readonly address: string;
  readonly input: Readonly<Record<Field, InputField>>;
  /** Whether its rows lie below a project, which is asked for permissions and told of revocations. */
  readonly inProject?: true;
  /** All are needed to revoke one. */
  readonly permissions: readonly Permission[];
  readonly refusals: readonly RefusalClass<R>[];
  /** Undefined where the caller's organization has no such address. */
  locate(
    db: Kysely<Tables>,
    organizationId: string,
    input: Record<Field, string>,
  ): Promise<Located<R> | undefined>;
  /** Reads what surfaces show, within the transaction that revoked the row. */
  show(db: Kysely<Tables>, row: Revocable): Promise<Answer>;
}

export type Input<Field extends string = string> = Record<Field, string>;
