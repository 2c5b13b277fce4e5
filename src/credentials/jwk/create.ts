import type { JWK } from 'jose';
import { NameTaken } from '../../refusals.ts';
import { change, insert } from '../change.ts';
import { findBySlug } from '../find.ts';

export interface NewJwk {
  readonly id: string;
  readonly projectName: string;
  readonly jwkName: string;
  /** The public half, with its `kid`. */
  readonly publicJwk: JWK & { readonly kid: string };
  readonly source: 'generated' | 'pasted' | 'url';
  readonly url: string | null;
}

/** Keeps the public half of a JSON Web Key of a project. */
export const createJwk = change<NewJwk, NameTaken>({
  kind: 'jwk',
  address: 'project',
  refusals: [NameTaken],
  describe: ({ projectName, jwkName }) => `${projectName}/${jwkName}`,
  owner: (db, organizationId, { projectName }) =>
    findBySlug(db, organizationId, 'project', projectName),
  permissions: () => ['SECRETS+MANAGE'],
  project: ({ projectName }) => projectName,

  async make(tx, row, { jwkName, publicJwk, source, url }, { owner }) {
    if ((await findBySlug(tx, owner.id, 'jwk', jwkName)) !== undefined) return new NameTaken();
    const made = await insert(tx, { ...row, name: jwkName, slug: jwkName });
    await tx
      .insertInto('jwks')
      .values({
        id: row.id,
        public_jwk: JSON.stringify(publicJwk),
        kid: publicJwk.kid,
        source,
        url,
      })
      .execute();
    return made;
  },
});
