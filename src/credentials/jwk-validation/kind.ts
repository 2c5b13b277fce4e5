import { NotFound, Refusal } from '../../refusals.ts';
import { findBySlug, findNewest } from '../find.ts';
import type { Kind } from '../kind.ts';

/** The credential has never had a JWK for validation. */
export class JwkNotAssigned extends Refusal {
  static readonly code = 'JWK_NOT_ASSIGNED';
  static readonly description = 'The credential has never had a JWK for validation.';
  readonly code = JwkNotAssigned.code;
  readonly message = 'The credential does not have a JWK for validation and signing.';
}

/**
 * The assignment of a JWK to a gateway credential for validation and signing. Only the assignment
 * goes: the JWK, and the one assigned for encryption, stay.
 */
export const jwkValidation: Kind<'projectName' | 'username', null, JwkNotAssigned> = {
  name: 'jwk-validation',
  noun: 'JWK for validation',
  address: 'project',
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
        : ((await findNewest(db, credential.id, 'jwk-validation')) ?? new JwkNotAssigned());
    return { target, project: projectName, tells: project.id };
  },

  show: async () => null,
};
