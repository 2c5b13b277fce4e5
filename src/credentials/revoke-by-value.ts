import type { Kysely, Transaction } from 'kysely';
import type { Revocable, Tables } from '../../db/tables.ts';
import type { Actor } from '../actor.ts';
import { type ForeignToken, isCutOff } from '../cut-offs.ts';
import type { Call, Moment, Operation, Outcome } from '../operation.ts';
import { missingPermissions, type Permission } from '../permissions.ts';
import { AlreadyRevoked, NotFound, PermissionDenied } from '../refusals.ts';
import { carriesSecret, hashSecret, isPlainText } from '../secrets.ts';
import { NAME_MAX } from './input.ts';
import type { AnyCredential } from './kinds.ts';
import { markRevoked } from './revoke.ts';
import { cutOff } from './trusted-token/cut-off.ts';

/** A secret or a token, as far as its revocation needs it. */
export interface ByValue {
  readonly secretHash: string;
  /** The JWT of others that it is, where it is the caller's organization's. */
  readonly foreign: ForeignToken | undefined;
}

type ByValueRefusal = NotFound | PermissionDenied | AlreadyRevoked;

type Result = Outcome<null, ByValueRefusal>;

/**
 * The operation that revokes what somebody holds, whatever kind it is: by the right to revoke that
 * kind, or because it is the caller's own. Only its hash is known here, so nothing can give it away.
 */
export function createRevokeByValue(
  credentials: readonly AnyCredential[],
): Operation<ByValue, null, ByValueRefusal> {
  return {
    action: 'revoke',
    kind: 'unknown',
    refusals: [NotFound, PermissionDenied, AlreadyRevoked],
    describe: ({ secretHash }) => secretHash,

    async run(tx, { secretHash, foreign }, call, at) {
      const { actor } = call;
      const row = await bySecret(tx, secretHash);
      if (row?.organization_id === actor.organizationId) {
        const needed = credentials.find(({ graph }) => graph.kind === row.kind)?.graph.permissions;
        // What no kind says how to revoke is for those who may do everything.
        return await revokeRow(tx, row, needed ?? ['organization:admin'], call, at);
      }
      if (row === undefined && foreign !== undefined) return await end(tx, foreign, call, at);
      return { refused: new NotFound('token'), unresolved: true };
    },
  };
}

async function bySecret(db: Kysely<Tables>, secretHash: string): Promise<Revocable | undefined> {
  return await db
    .selectFrom('revocables')
    .selectAll()
    .where('secret_hash', '=', secretHash)
    .executeTakeFirst();
}

async function revokeRow(
  tx: Transaction<Tables>,
  row: Revocable,
  needed: readonly Permission[],
  call: Call,
  at: Moment,
): Promise<Result> {
  const target = { kind: row.kind, target: row.id };
  const missing = isOwn(row, call.actor) ? [] : missingPermissions(call.actor.permissions, needed);
  if (missing.length > 0) {
    return { refused: new PermissionDenied(missing), targetId: row.id, target };
  }
  const marked = await markRevoked(tx, row, call, at);
  if (marked instanceof AlreadyRevoked) return { refused: marked, targetId: row.id, target };
  return { done: null, targetId: row.id, target };
}

/** Whether it is what the caller presented, or was issued to that. */
const isOwn = ({ id, parent_id }: Revocable, { credentialId }: Actor): boolean =>
  credentialId !== null && (id === credentialId || parent_id === credentialId);

/** A JWT of others is no row that could be marked: it is cut off, by itself. */
async function end(
  tx: Transaction<Tables>,
  foreign: ForeignToken,
  call: Call,
  at: Moment,
): Promise<Result> {
  const { issuer, tokenId } = foreign;
  const input = { issuer, scope: 'token', value: tokenId, beforeMs: null } as const;
  const { kind } = cutOff;
  const target = { kind, target: cutOff.describe({ ...input, value: nameable(tokenId) }) };
  return (await isCutOff(tx, call.actor.organizationId, foreign))
    ? { refused: new AlreadyRevoked(at.atMs), target }
    : { ...(await cutOff.run(tx, input, call, at)), target };
}

/** A token's id as the ledger names it, which is kept for good: others chose it. */
const nameable = (tokenId: string): string =>
  tokenId.length <= NAME_MAX && isPlainText(tokenId) && !carriesSecret(tokenId)
    ? tokenId
    : `sha256:${hashSecret(tokenId)}`;
