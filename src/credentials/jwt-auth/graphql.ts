import type { Revocable } from '../../../db/tables.ts';
import type { FieldBuilder } from '../../graphql/builder.ts';
import { revocableGraph } from '../../graphql/revocation.ts';
import { inOrder, type Loader } from '../load.ts';
import { type JwtAuthDetail, jwtAuth, jwtAuthDetails } from './kind.ts';

/** The configurations of JWT Auths. */
const details: Loader<string, JwtAuthDetail | undefined> = {
  batch: async (db, _organizationId, ids) => inOrder(ids, await jwtAuthDetails(db, ids)),
};

export const jwtAuthGraph = revocableGraph(jwtAuth, {
  type: 'JwtAuth',
  description: 'JWT Auth of a machine identity: it exchanges outside JWTs for access tokens.',
  read: 'identity:read',
  lists: [{ on: 'Identity', field: 'jwtAuths' }],
  mutation: 'revokeJwtAuth',
  mutationDescription:
    'Removes JWT Auth from a machine identity. Every access token issued through it is refused from then on; attaching JWT Auth again revives none.',
  fields: (t) => ({
    configurationType: text(t, 'configuration_type', '`jwks` or `static`.'),
    jwksUrl: text(t, 'jwks_url', 'Where the keys are read that sign the JWTs.'),
    boundIssuer: text(t, 'bound_issuer', 'The issuer that the JWTs must name.'),
    boundAudiences: text(t, 'bound_audiences', 'The audiences of which they must name one.'),
    boundSubject: text(t, 'bound_subject', 'The subject that they must name.'),
  }),
});

function text(t: FieldBuilder<Revocable>, column: keyof JwtAuthDetail, description: string) {
  return t.string({
    nullable: true,
    description,
    resolve: async (row, _args, { loaders }) => {
      const detail = await loaders.load(details, row.id);
      return detail === undefined ? null : String(detail[column]);
    },
  });
}
