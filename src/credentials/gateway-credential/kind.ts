import { NotFound } from '../../refusals.ts';
import { findBySlug } from '../find.ts';
import type { Kind } from '../kind.ts';

/** A credential with which an API gateway knows its clients. Its revocation takes its JWKs along. */
export const gatewayCredential: Kind<'projectName' | 'username', null, never> = {
  name: 'gateway-credential',
  noun: 'gateway credential',
  address: 'project',
  inProject: true,
  input: {
    projectName: { description: 'The name of the project.' },
    username: { description: 'The username of the gateway credential.' },
  },
  permissions: ['IDENTITY+MANAGE', 'IDENTITY+DEPLOY_UNDEPLOY'],
  refusals: [],

  async locate(db, organizationId, { projectName, username }) {
    const project = await findBySlug(db, organizationId, 'project', projectName);
    if (project === undefined) return undefined;
    const target = await findBySlug(db, project.id, 'gateway-credential', username);
    return {
      target: target ?? new NotFound('gateway credential'),
      project: projectName,
      tells: project.id,
    };
  },

  show: async () => null,
};
