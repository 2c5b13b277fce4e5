import { liveEnvironments } from '../delivery/targets.ts';
import type { Superseded } from '../operation.ts';
import { NotFound, Refusal } from '../refusals.ts';
import { change, insert } from './change.ts';
import { findBySlug, findNewest } from './find.ts';
import type { Input, Kind } from './kind.ts';
import { markRevoked } from './revoke.ts';

/** The credential has never had a JWK for this use. */
export class JwkNotAssigned extends Refusal {
  static readonly code = 'JWK_NOT_ASSIGNED';
  static readonly description = 'The credential has never had a JWK for this use.';
  readonly code = JwkNotAssigned.code;
  readonly message: string;

  constructor(use = 'validation and signing') {
    super();
    this.message = `The credential does not have a JWK for ${use}.`;
  }
}

/**
 * The assignment of a JWK to a gateway credential. Only the assignment goes: the JWK, and the one
 * assigned for the other use, stay.
 */
export const assignmentKind = (
  name: 'jwk-validation' | 'jwk-encryption',
  noun: string,
  use: string,
): Kind<'projectName' | 'username', null, JwkNotAssigned> => ({
  name,
  noun,
  address: 'project',
  inProject: true,
  input: {
    projectName: { description: 'The name of the project.' },
    username: { description: 'The username of the gateway credential.' },
  },
  permissions: ['IDENTITY+MANAGE', 'IDENTITY+DEPLOY_UNDEPLOY'],
  refusals: [JwkNotAssigned],

  async locate(db, organizationId, { projectName, username }) {
    const project = await findBySlug(db, organizationId, 'project', projectName);
    if (project === undefined) return undefined;
    const credential = await findBySlug(db, project.id, 'gateway-credential', username);
    const target =
      credential === undefined
        ? new NotFound('gateway credential')
        : ((await findNewest(db, credential.id, name)) ?? new JwkNotAssigned(use));
    return { target, project: projectName, tells: project.id };
  },

  show: async () => null,
});

export interface NewAssignment extends Input<'projectName' | 'username' | 'jwkName'> {
  readonly id: string;
}

/** Assigns a JWK of the project to a credential; the one that it had for this use is superseded. */
export const assignJwk = (name: 'jwk-validation' | 'jwk-encryption') =>
  change<NewAssignment, NotFound>({
    kind: name,
    address: 'project',
    refusals: [],
    describe: ({ projectName, username }) => `${projectName}/${username}`,

    async owner(db, organizationId, { projectName, username }) {
      const project = await findBySlug(db, organizationId, 'project', projectName);
      if (project === undefined) return undefined;
      const credential = await findBySlug(db, project.id, 'gateway-credential', username);
      return credential ?? new NotFound('gateway credential');
    },

    permissions: () => ['IDENTITY+MANAGE', 'IDENTITY+DEPLOY_UNDEPLOY'],
    project: ({ projectName }) => projectName,

    async make(tx, row, { projectName, username, jwkName }, { owner, actor, newId }) {
      const projectId = owner.parent_id ?? '';
      const jwk = await findBySlug(tx, projectId, 'jwk', jwkName);
      if (jwk === undefined || jwk.revoked_at_ms !== null) return new NotFound('JWK');
      const before = await findNewest(tx, owner.id, name);
      let superseded: Superseded | undefined;
      if (before?.revoked_at_ms === null) {
        const target = `${projectName}/${username}`;
        superseded = { entryId: newId(), targetId: before.id, kind: name, target };
        const call = { actor: { name: actor }, reason: 'SUPERSEDED' } as const;
        await markRevoked(tx, before, call, { ...superseded, atMs: row.issued_at_ms });
      }
      const made = { ...row, name: jwkName };
      await insert(tx, made);
      await tx.insertInto('jwk_assignments').values({ id: row.id, jwk_id: jwk.id }).execute();
      return { row: made, deliverTo: await liveEnvironments(tx, projectId), superseded };
    },
  });
