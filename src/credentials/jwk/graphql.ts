import type { Actor } from '../../actor.ts';
import { changeGraph } from '../../graphql/change.ts';
import { deploymentField } from '../../graphql/deployment.ts';
import { revocableGraph } from '../../graphql/revocation.ts';
import { missingPermissions } from '../../permissions.ts';
import { InvalidInput } from '../../refusals.ts';
import { checkPathName, problem } from '../input.ts';
import { createJwk } from './create.ts';
import { jwk } from './kind.ts';
import { generateJwk, jwkAlgorithms, jwkAt, NoKey, pastedJwk } from './read.ts';

export const jwkGraph = revocableGraph(jwk, {
  type: 'Jwk',
  description: 'A JSON Web Key of a project (RFC 7517).',
  read: 'project:read',
  lists: [{ on: 'Project', field: 'jwks' }],
  mutation: 'revokeJwk',
  mutationDescription:
    'Revokes a JWK, and tells every environment of the project: it counts no more for any credential that it is assigned to.',
  success: deploymentField,
});

interface Given {
  projectName: string;
  jwkName: string;
  generate?: string | null;
  publicJwk?: string | null;
  url?: string | null;
  keyId?: string | null;
}

const one = 'Give one of generate, publicJwk and url';

export const createJwkGraph = changeGraph(createJwk, {
  mutation: 'createJwk',
  description:
    'Makes a JWK of a project: generates a key pair, or keeps a public key that is pasted or lies at a URL.',
  inputDescription: 'In which project, and one of `generate`, `publicJwk` and `url`.',
  shows: { field: 'jwk', type: 'Jwk' },
  secret: {
    field: 'privateJwk',
    description: 'The private half of a key pair that was generated, JSON (RFC 7517).',
    nullable: true,
  },
  fields: (t) => ({
    projectName: t.string({ required: true, description: 'The name of the project.' }),
    jwkName: t.string({ required: true, description: 'Its name, in addresses too.' }),
    generate: t.string({
      description: `The algorithm to make a key pair for: ${jwkAlgorithms.join(', ')}.`,
    }),
    publicJwk: t.string({ description: 'The public key as JSON (RFC 7517).' }),
    url: t.string({
      description: 'Where a JWKS is published. The key counts for as long as it is in there.',
    }),
    keyId: t.string({ description: 'Which key of the URL, by its `kid`.' }),
  }),
  check: ({ jwkName, generate, publicJwk, url }: Given, { gateway }) => [
    checkPathName('jwkName', jwkName),
    problem(
      'generate',
      [generate, publicJwk, url].filter((given) => given != null).length === 1 ? undefined : one,
    ),
    problem(
      'generate',
      generate == null || (jwkAlgorithms as readonly string[]).includes(generate)
        ? undefined
        : `There are ${jwkAlgorithms.join(', ')}`,
    ),
    problem('url', url == null ? undefined : gateway.urlProblem(url, 'keys')),
  ],
  prepare: async (given, { gateway }, actor) => {
    const { projectName, jwkName } = given;
    const address = { id: gateway.newId(), projectName, jwkName };
    // Without the permission nothing is made or fetched, and the operation says why.
    if (!mayManage(actor, projectName)) return { input: { ...address, ...nothing } };
    try {
      const { privateJwk, ...read } = await keyOf(given);
      return { input: { ...address, ...read }, secret: privateJwk };
    } catch (error) {
      if (!(error instanceof NoKey)) throw error;
      const path = given.url == null ? 'publicJwk' : 'url';
      return new InvalidInput([{ path, message: error.message }]);
    }

    async function keyOf({ generate, publicJwk, url, keyId }: Given) {
      const none = { privateJwk: undefined };
      if (generate != null) return await generateJwk(generate);
      if (publicJwk != null) return { ...(await pastedJwk(publicJwk)), ...none };
      return { ...(await jwkAt(gateway.outbound, url ?? '', keyId ?? undefined)), ...none };
    }
  },
});

const nothing = { publicJwk: { kty: 'none', kid: '' }, source: 'pasted', url: null } as const;

const mayManage = ({ permissions }: Actor, projectName: string): boolean =>
  missingPermissions(permissions, ['SECRETS+MANAGE'], projectName).length === 0;
