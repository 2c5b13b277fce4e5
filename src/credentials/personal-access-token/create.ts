import type { InvalidInput } from '../../refusals.ts';
import { change, insert } from '../change.ts';
import { checkExpiry, checkName, checkPermissions, problem, together } from '../input.ts';

/** A credential with which somebody calls this gateway, its secret already made. */
export interface NewCallerCredential {
  readonly id: string;
  readonly name: string;
  readonly permissions: readonly string[];
  readonly secretHash: string;
  readonly expiresAtMs: number | null;
}

/** Says no to names and permissions that no credential can have. */
export function checkCallerCredential(
  input: Pick<NewCallerCredential, 'name' | 'permissions' | 'expiresAtMs'>,
  nowMs: number,
): InvalidInput | undefined {
  return together(
    checkName('name', input.name),
    problem('permissions', input.permissions.length === 0 ? 'Name at least one' : undefined),
    checkPermissions('permissions', input.permissions),
    checkExpiry('expiresAt', input.expiresAtMs, nowMs),
  );
}

/** Makes one in the caller's organization. */
const createCallerCredential = (kind: 'access-token' | 'personal-access-token') =>
  change<NewCallerCredential>({
    kind,
    refusals: [],
    describe: ({ id }) => id,
    permissions: ({ permissions }) => ['personal-access-token:create', ...permissions],
    make: (tx, row, { name, permissions, secretHash, expiresAtMs }) =>
      insert(tx, {
        ...row,
        name,
        permissions: JSON.stringify(permissions),
        secret_hash: secretHash,
        expires_at_ms: expiresAtMs,
      }),
  });

/** A JWT of a caller, as the command line mints it. */
export const createCallerToken = createCallerCredential('access-token');
export const createPersonalAccessToken = createCallerCredential('personal-access-token');
