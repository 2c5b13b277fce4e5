import type { Revocable } from '../../db/tables.ts';
import type { Operation } from '../operation.ts';
import { isPermission, missingPermissions, permissions } from '../permissions.ts';
import { type InputIssue, InvalidInput, PermissionDenied } from '../refusals.ts';
import { carriesSecret, isPlainText } from '../secrets.ts';
import { newRow } from './row.ts';

/** A credential with which somebody calls this gateway, its secret already made. */
export interface NewCallerCredential {
  readonly id: string;
  readonly name: string;
  readonly permissions: readonly string[];
  readonly secretHash: string;
  readonly expiresAtMs: number | null;
}

const NAME_MAX = 200;

/** Says no to names and permissions that no credential can have. */
export function checkCallerCredential(
  input: Pick<NewCallerCredential, 'name' | 'permissions' | 'expiresAtMs'>,
  nowMs: number,
): InvalidInput | undefined {
  const issues: InputIssue[] = [];
  const { name } = input;
  if (name.length > NAME_MAX || !isPlainText(name)) {
    const message = `Must be 1 to ${NAME_MAX} characters, none of them a control character`;
    issues.push({ path: 'name', message });
  } else if (carriesSecret(name)) {
    issues.push({ path: 'name', message: 'Carries what looks like a secret' });
  }
  if (input.permissions.length === 0) {
    issues.push({ path: 'permissions', message: 'Name at least one' });
  }
  const unknown = input.permissions.filter((permission) => !isPermission(permission));
  if (unknown.length > 0) {
    const message = `Not a permission: ${unknown.join(', ')}. There are ${permissions.join(', ')}`;
    issues.push({ path: 'permissions', message });
  }
  if (input.expiresAtMs !== null && input.expiresAtMs <= nowMs) {
    issues.push({ path: 'expiresAt', message: 'Lies in the past' });
  }
  return issues.length === 0 ? undefined : new InvalidInput(issues);
}

/** Makes one in the caller's organization. Nobody gives what they do not have. */
function createCallerCredential(
  kind: 'access-token' | 'personal-access-token',
): Operation<NewCallerCredential, Revocable, PermissionDenied> {
  return {
    action: 'create',
    kind,
    refusals: [PermissionDenied],
    describe: ({ id }) => id,

    async run(tx, input, { actor }, { atMs }) {
      const needed = ['personal-access-token:create', ...input.permissions];
      const missing = missingPermissions(actor.permissions, needed);
      if (missing.length > 0) return { refused: new PermissionDenied(missing) };
      const row = newRow({
        id: input.id,
        organization_id: actor.organizationId,
        parent_id: actor.organizationId,
        kind,
        issued_at_ms: atMs,
        expires_at_ms: input.expiresAtMs,
        name: input.name,
        permissions: JSON.stringify(input.permissions),
        secret_hash: input.secretHash,
      });
      await tx.insertInto('revocables').values(row).execute();
      return { done: row, targetId: row.id };
    },
  };
}

export const createAccessToken = createCallerCredential('access-token');
export const createPersonalAccessToken = createCallerCredential('personal-access-token');
