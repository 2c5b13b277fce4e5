import type { Revocable } from '../../../db/tables.ts';
import type { FieldBuilder } from '../../graphql/builder.ts';
import { revocableGraph } from '../../graphql/revocation.ts';
import { methodFields } from '../auth-method-graph.ts';
import { inOrder, type Loader } from '../load.ts';
import { jwtAuthTypes } from './graph-types.ts';
import { type JwtAuthDetail, jwtAuth, jwtAuthDetails } from './kind.ts';
import type { JwtAuthSettings } from './settings.ts';

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
  fields: (t, builder) => ({
    configurationType: t.field({
      type: jwtAuthTypes(builder).configurationType,
      nullable: true,
      description: 'Where the keys come from that sign the JWTs.',
      resolve: async ({ id }, _args, { loaders }) =>
        (await loaders.load(details, id))?.configuration_type as
          | JwtAuthSettings['configurationType']
          | undefined,
    }),
    jwksUrl: text(t, 'jwks_url', 'Where the keys are read that sign the JWTs.'),
    publicKeys: t.stringList({
      nullable: true,
      description: 'The keys that sign the JWTs, where they are set here: PEM.',
      resolve: async ({ id }, _args, { loaders }) => {
        const detail = await loaders.load(details, id);
        return detail === undefined ? null : (JSON.parse(detail.public_keys) as string[]);
      },
    }),
    boundIssuer: text(t, 'bound_issuer', 'The issuer that the JWTs must name.'),
    boundAudiences: text(t, 'bound_audiences', 'The audiences of which they must name one.'),
    boundSubject: text(t, 'bound_subject', 'The subject that they must name.'),
    boundClaims: t.field({
      type: [jwtAuthTypes(builder).claim],
      nullable: true,
      description: 'What else they must say.',
      resolve: async ({ id }, _args, { loaders }) => {
        const detail = await loaders.load(details, id);
        if (detail === undefined) return null;
        const bound = JSON.parse(detail.bound_claims) as Record<string, string>;
        return Object.entries(bound).map(([claim, value]) => ({ claim, value }));
      },
    }),
    ...methodFields(t),
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
