import { changeGraph } from '../../graphql/change.ts';
import { revocableGraph } from '../../graphql/revocation.ts';
import { checkName } from '../input.ts';
import { inOrder, type Loader } from '../load.ts';
import { createRequestedToken, requestToken } from './create-on-request.ts';
import { type AccessTokenDetail, accessTokenDetails } from './details.ts';
import { accessToken } from './kind.ts';
import { renameToken } from './rename.ts';

/** How access tokens were issued and used. */
const details: Loader<string, AccessTokenDetail | undefined> = {
  batch: async (db, _organizationId, ids) => inOrder(ids, await accessTokenDetails(db, ids)),
};

export const accessTokenGraph = revocableGraph(accessToken, {
  type: 'AccessToken',
  description: 'A JWT that this gateway issued, to a machine identity or to a caller.',
  read: 'identity:read',
  lists: [
    { on: 'JwtAuth', field: 'accessTokens' },
    { on: 'TokenAuth', field: 'accessTokens' },
    { on: 'Me', field: 'accessTokens' },
  ],
  mutation: 'revokeToken',
  mutationDescription:
    'Revokes one access token, however it was issued. No other token is touched, and with the permission, a caller may revoke the very token that it calls with.',
  fields: (t) => ({
    numUses: t.int({
      nullable: true,
      description: 'How often it was used; null where that is not counted.',
      resolve: async ({ id }, _args, { loaders }) => {
        const detail = await loaders.load(details, id);
        return detail && detail.num_uses_limit > 0 ? detail.num_uses : null;
      },
    }),
    numUsesLimit: t.int({
      nullable: true,
      description: 'How often it may be used; null where there is no limit.',
      resolve: async ({ id }, _args, { loaders }) =>
        (await loaders.load(details, id))?.num_uses_limit || null,
    }),
  }),
});

export const createTokenGraph = changeGraph(createRequestedToken, {
  mutation: 'createToken',
  description:
    'Makes an access token of a machine identity that has Token Auth. It may do what the identity may, which the caller must be allowed too.',
  inputDescription: 'Of which machine identity, and what the token is called.',
  shows: { field: 'accessToken', type: 'AccessToken' },
  secret: { description: 'The token itself, a JWT: what to send as `Authorization: Bearer`.' },
  fields: (t) => ({
    identityId: t.id({ required: true, description: 'The id of the machine identity.' }),
    name: t.string({ required: true, description: 'What people call the token.' }),
  }),
  check: ({ name }: { identityId: string; name: string }) => [checkName('name', name)],
  prepare: (given, { gateway }, actor) => requestToken(gateway, actor, given),
});

export const renameTokenGraph = changeGraph(renameToken, {
  mutation: 'renameToken',
  description: 'Gives an access token of a machine identity another name.',
  inputDescription: 'Which access token, and its new name.',
  shows: { field: 'accessToken', type: 'AccessToken' },
  fields: (t) => ({
    tokenId: t.id({ required: true, description: 'The id of the token: its `jti`.' }),
    name: t.string({ required: true, description: 'What people call it from now on.' }),
  }),
  check: ({ name }: { tokenId: string; name: string }) => [checkName('name', name)],
  prepare: async ({ tokenId, name }) => ({ input: { id: tokenId, name } }),
});
