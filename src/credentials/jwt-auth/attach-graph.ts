import type { Builder } from '../../graphql/builder.ts';
import { changeGraph } from '../../graphql/change.ts';
import type { InputFieldBuilder } from '../../graphql/mutation.ts';
import { methodInput } from '../auth-method-graph.ts';
import { attachJwtAuth, updateJwtAuth } from './attach.ts';
import { jwtAuthTypes } from './graph-types.ts';
import { checkGivenJwtAuth, checkNewJwtAuth, type GivenJwtAuth } from './settings.ts';

type Given = GivenJwtAuth & { readonly identityId: string };

function fields(t: InputFieldBuilder, builder: Builder, action: 'attach' | 'update') {
  const { configurationType, claimInput } = jwtAuthTypes(builder);
  const unless = action === 'attach' ? '' : ' As before, unless said.';
  return {
    identityId: t.id({ required: true, description: 'The id of the machine identity.' }),
    configurationType: t.field({
      type: configurationType,
      required: action === 'attach',
      description: `Where the keys come from that sign the JWTs.${unless}`,
    }),
    jwksUrl: t.string({ description: `For JWKS: where the keys are published.${unless}` }),
    publicKeys: t.stringList({ description: `For STATIC: the keys, PEM.${unless}` }),
    boundIssuer: t.string({ description: `The issuer that the JWTs must name.${unless}` }),
    boundAudiences: t.string({
      description: `The audiences of which they must name one: values or globs with \`, \` between.${unless}`,
    }),
    boundSubject: t.string({
      description: `The subject that they must name: a value or a glob.${unless}`,
    }),
    boundClaims: t.field({
      type: [claimInput],
      description: `What else they must say.${unless}`,
    }),
    ...methodInput(t, action),
  };
}

export const attachJwtAuthGraph = changeGraph(attachJwtAuth, {
  mutation: 'attachJwtAuth',
  description:
    'Attaches JWT Auth to a machine identity, so that it can log in with JWTs of an issuer outside. Takes all that the identity may do.',
  inputDescription: 'To which machine identity, and which JWTs are good enough.',
  shows: { field: 'jwtAuth', type: 'JwtAuth' },
  fields: (t, _types, builder) => fields(t, builder, 'attach'),
  check: ({ identityId: _, ...given }: Given, { gateway }) => [checkNewJwtAuth(gateway, given)],
  prepare: async ({ identityId, ...given }, { gateway }) => ({
    input: { id: gateway.newId(), identityId, given },
  }),
});

export const updateJwtAuthGraph = changeGraph(updateJwtAuth, {
  mutation: 'updateJwtAuth',
  description:
    'Changes the JWT Auth of a machine identity. From where access tokens may be used counts at once, the rest from the next login on.',
  inputDescription: 'Of which machine identity, and what changes.',
  shows: { field: 'jwtAuth', type: 'JwtAuth' },
  fields: (t, _types, builder) => fields(t, builder, 'update'),
  check: ({ identityId: _, ...given }: Given, { gateway }) => [checkGivenJwtAuth(gateway, given)],
  prepare: async ({ identityId, ...given }, { gateway }) => ({
    input: { id: gateway.newId(), identityId, given },
  }),
});
