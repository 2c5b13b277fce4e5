import { randomBytes } from 'node:crypto';
import type { Target } from '../../../db/tables.ts';
import type { Operation } from '../../operation.ts';
import { missingPermissions } from '../../permissions.ts';
import { NameTaken, NotFound, OwnerRevoked, PermissionDenied } from '../../refusals.ts';
import { chainOf, standing } from '../../standing.ts';
import { findBySlug } from '../find.ts';

export interface NewEnvironment {
  readonly id: string;
  readonly projectName: string;
  readonly name: string;
  /** Where it is told. */
  readonly url: string;
  /** Its secret, sealed. */
  readonly secretJwe: string;
}

/** A new secret as Standard Webhooks have it: what an environment is told is signed with it. */
export const newWebhookSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

/** Makes an environment of a project: from then on it is told of each change of a credential. */
export const createEnvironment: Operation<
  NewEnvironment,
  Target,
  NotFound | PermissionDenied | OwnerRevoked | NameTaken
> = {
  action: 'create',
  kind: 'environment',
  refusals: [NotFound, PermissionDenied, OwnerRevoked, NameTaken],
  describe: ({ projectName, name }) => `${projectName}/${name}`,

  async run(tx, { id, projectName, name, url, secretJwe }, { actor }, { atMs }) {
    const project = await findBySlug(tx, actor.organizationId, 'project', projectName);
    if (project === undefined) return { refused: new NotFound('project'), unresolved: true };
    const missing = missingPermissions(actor.permissions, ['target:manage'], projectName);
    if (missing.length > 0) return { refused: new PermissionDenied(missing) };
    if (standing(await chainOf(tx, 'id', project.id), atMs) !== undefined) {
      return { refused: new OwnerRevoked() };
    }
    const present = await tx
      .selectFrom('targets')
      .select('id')
      .where('scope_id', '=', project.id)
      .where('kind', '=', 'environment')
      .where('name', '=', name)
      .where('removed_at_ms', 'is', null)
      .executeTakeFirst();
    if (present !== undefined) return { refused: new NameTaken() };
    const target: Target = {
      id,
      organization_id: actor.organizationId,
      kind: 'environment',
      scope_id: project.id,
      name,
      url,
      secret_jwe: secretJwe,
      created_at_ms: atMs,
      removed_at_ms: null,
      events: null,
      kinds: null,
      previous_secret_jwe: null,
      previous_secret_until_ms: null,
      late_since_ms: null,
    };
    await tx.insertInto('targets').values(target).execute();
    return { done: target, targetId: id };
  },
};
