/** Everything that a caller may be allowed to do. `organization:admin` stands for all of them. */
export const permissions = [
  'identity:read',
  'identity:edit',
  'identity:revoke',
  'jwt-auth:revoke',
  'token-auth:revoke',
  'token:create',
  'token:revoke',
  'application:read',
  'application:edit',
  'application:revoke',
  'api-key:create',
  'api-key:revoke',
  'service-account:read',
  'service-account:edit',
  'service-account:revoke',
  'service-account-token:create',
  'service-account-token:revoke',
  'personal-access-token:read',
  'personal-access-token:create',
  'personal-access-token:revoke',
  'oauth-client:read',
  'oauth-client:create',
  'oauth-client:revoke',
  'trusted-token:revoke',
  'project:read',
  'project:edit',
  'IDENTITY+MANAGE',
  'IDENTITY+DEPLOY_UNDEPLOY',
  'SECRETS+MANAGE',
  'credential:introspect',
  'ledger:read',
  'target:manage',
  'organization:create',
  'organization:admin',
] as const;

export type Permission = (typeof permissions)[number];

const admin: Permission = 'organization:admin';

const readTokens: readonly Permission[] = ['service-account:read'];
const writeTokens: readonly Permission[] = [
  ...readTokens,
  'service-account-token:create',
  'service-account-token:revoke',
];

/** Kaiten's scopes, as its service-account tokens carry them: writing includes reading. */
const scopes = new Map<string, readonly Permission[]>([
  ['read:tokens', readTokens],
  ['read:*', readTokens],
  ['write:tokens', writeTokens],
  ['write:*', writeTokens],
]);

/** Whether the text has the form of a Kaiten scope; most mean something to others only. */
export const isScope = (text: string): boolean =>
  /^(?:read|write):(?:[a-z][a-z-]{0,99}|\*)$/.test(text);

/**
 * What whoever gives a scope needs: the scope itself, or one that includes it. One that means nothing
 * but what it allows here is given by whoever may do that.
 */
export const neededToGive = (scope: string): readonly string[] =>
  scope.endsWith(':*') ? [scope] : (scopes.get(scope) ?? [scope]);

/** Whether a grant is a scope that includes another: writing includes reading, `*` everything. */
function includesScope(grant: string, scope: string): boolean {
  if (!isScope(grant) || !isScope(scope)) return false;
  const [[held, what], [verb, of]] = [grant.split(':'), scope.split(':')];
  return (held === 'write' || held === verb) && (what === '*' || what === of);
}

/** The longest name of a project behind a permission, in characters. */
export const PROJECT_MAX = 200;

/** Whether the text is a permission: one of the list, where `@project` may limit it to a project. */
export function isPermission(text: string): boolean {
  const [bare, project] = splitAtProject(text);
  if (project === '' || (project ?? '').length > PROJECT_MAX) return false;
  return (permissions as readonly string[]).includes(bare);
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
  // What most callers hold, and most routes ask for.
  if (granted.includes(admin) || needed.every((permission) => granted.includes(permission))) {
    return [];
  }
  const held = new Set<string>(
    granted.flatMap((grant): readonly string[] => scopes.get(grant) ?? [grant]),
  );
  return needed.filter((permission) => {
    const [bare, within = project] = splitAtProject(permission);
    const sufficient = [bare, admin];
    if (within !== undefined) sufficient.push(`${bare}@${within}`, `${admin}@${within}`);
    return !(
      sufficient.some((grant) => held.has(grant)) ||
      granted.some((grant) => includesScope(grant, permission))
    );
  });
}

function splitAtProject(permission: string): [bare: string, project?: string] {
  const at = permission.indexOf('@');
  return at === -1 ? [permission] : [permission.slice(0, at), permission.slice(at + 1)];
}
