import type { Target } from '../../../db/tables.ts';
import type { Operation } from '../../operation.ts';
import { missingPermissions } from '../../permissions.ts';
import {
  NameTaken,
  NotFound,
  OwnerRevoked,
  PermissionDenied,
  TooManyTargets,
} from '../../refusals.ts';
import { chainOf, standing } from '../../standing.ts';
import { refusalOfNew } from '../../targets/limit.ts';
import { newTarget } from '../../targets/row.ts';
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

/** Makes an environment of a project: from then on it is told of each change of a credential. */
export const createEnvironment: Operation<
  NewEnvironment,
  Target,
  NotFound | PermissionDenied | OwnerRevoked | NameTaken | TooManyTargets
> = {
  action: 'create',
  kind: 'environment',
  refusals: [NotFound, PermissionDenied, OwnerRevoked, NameTaken, TooManyTargets],
  describe: ({ projectName, name }) => `${projectName}/${name}`,

  async run(tx, { id, projectName, name, url, secretJwe }, { actor }, { atMs }) {
    const project = await findBySlug(tx, actor.organizationId, 'project', projectName);
    if (project === undefined) return { refused: new NotFound('project'), unresolved: true };
    const missing = missingPermissions(actor.permissions, ['target:manage'], projectName);
    if (missing.length > 0) return { refused: new PermissionDenied(missing) };
    if (standing(await chainOf(tx, 'id', project.id), atMs) !== undefined) {
      return { refused: new OwnerRevoked() };
    }
    const refused = await refusalOfNew(tx, project.id, 'environment', name);
    if (refused !== undefined) return { refused };
    const target = newTarget({
      ...{ id, name, url, kind: 'environment', organization_id: actor.organizationId },
      ...{ scope_id: project.id, secret_jwe: secretJwe, created_at_ms: atMs },
    });
    await tx.insertInto('targets').values(target).execute();
    return { done: target, targetId: id };
  },
};
