import { NotFound } from '../../refusals.ts';
import { findBySlug } from '../find.ts';
import type { Kind } from '../kind.ts';

/** A JSON Web Key of a project. Its revocation ends whatever it is assigned for. */
export const jwk: Kind<'projectName' | 'jwkName', null, never> = {
  name: 'jwk',
  noun: 'JWK',
  address: 'project',
  inProject: true,
  input: {
    projectName: { description: 'The name of the project.' },
    jwkName: { description: 'The name of the JWK.' },
  },
  permissions: ['SECRETS+MANAGE'],
  refusals: [],

  async locate(db, organizationId, { projectName, jwkName }) {
    const project = await findBySlug(db, organizationId, 'project', projectName);
    if (project === undefined) return undefined;
    const target = await findBySlug(db, project.id, 'jwk', jwkName);
    return { target: target ?? new NotFound('JWK'), project: projectName, tells: project.id };
  },

  show: async () => null,
};
