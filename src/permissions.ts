/** Everything that a caller may be allowed to do. `organization:admin` stands for all of them. */
export const permissions = [
  'identity:read',
  'identity:edit',
  'application:read',
  'service-account:read',
  'project:read',
  'jwt-auth:revoke',
  'token:revoke',
  'api-key:revoke',
  'service-account-token:revoke',
  'personal-access-token:read',
  'personal-access-token:create',
  'personal-access-token:revoke',
  'IDENTITY+MANAGE',
  'IDENTITY+DEPLOY_UNDEPLOY',
  'credential:introspect',
  'ledger:read',
  'target:manage',
  'organization:create',
  'organization:admin',
] as const;

export type Permission = (typeof permissions)[number];

const admin: Permission = 'organization:admin';

/** Kaiten's scopes, as its service-account tokens carry them. */
const scopes = new Map<string, Permission>([
  ['write:tokens', 'service-account-token:revoke'],
  ['write:*', 'service-account-token:revoke'],
]);

/** Whether the text is a permission: one of the list, where `@project` may limit it to a project. */
export function isPermission(text: string): boolean {
  const [bare, project] = splitAtProject(text);
  return (permissions as readonly string[]).includes(bare) && project !== '';
}

/**
 * Which of the needed permissions the granted ones do not give.
 *
 * @param granted what a credential carries: permissions, some with `@project`, and Kaiten scopes
 * @param needed permissions; one that names a project (`@project`) is given by that project's alone
 * @param project the name of the project in which the attempt takes place, if in one
 */
export function missingPermissions(
  granted: readonly string[],
  needed: readonly string[],
  project?: string,
): string[] {
  const held = new Set(granted.map((grant) => scopes.get(grant) ?? grant));
  return needed.filter((permission) => {
    const [bare, within = project] = splitAtProject(permission);
    const sufficient = [bare, admin];
    if (within !== undefined) sufficient.push(`${bare}@${within}`, `${admin}@${within}`);
    return !sufficient.some((grant) => held.has(grant));
  });
}

function splitAtProject(permission: string): [bare: string, project?: string] {
  const at = permission.indexOf('@');
  return at === -1 ? [permission] : [permission.slice(0, at), permission.slice(at + 1)];
}
