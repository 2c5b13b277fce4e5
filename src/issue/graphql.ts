import type { Revocable } from '../../db/tables.ts';
import type { Builder } from '../graphql/builder.ts';
import type { ErrorTypes } from '../graphql/errors.ts';
import { addMutation } from '../graphql/mutation.ts';
import type { GraphTypes } from '../graphql/types.ts';
import { perform } from '../operation.ts';
import { hashSecret, newSecret } from '../secrets.ts';
import { checkCallerCredential, createPersonalAccessToken } from './caller-credential.ts';
import { checkSlug, createOrganization } from './organization.ts';

interface Made {
  readonly row: Revocable;
  readonly secret: string;
}

/** The operations behind the mutations that make something. */
export const createOperations = [createOrganization, createPersonalAccessToken] as const;

/** Adds the mutations that make organizations and personal access tokens. */
export function addIssuing(builder: Builder, errors: ErrorTypes, types: GraphTypes): void {
  addCreateOrganization(builder, errors, types);
  addCreatePersonalAccessToken(builder, errors, types);
}

function addCreateOrganization(builder: Builder, errors: ErrorTypes, types: GraphTypes): void {
  const success = builder.objectRef<Made>('CreateOrganizationSuccess').implement({
    description: 'The organization is made.',
    fields: (t) => ({
      organization: t.field({
        type: refOf(types, 'Organization'),
        description: 'The organization.',
        resolve: ({ row }) => row,
      }),
      personalAccessToken: t.string({
        description: 'A token that may do everything in it. Shown this once.',
        resolve: ({ secret }) => secret,
      }),
    }),
  });
  addMutation<{ slug: string }, Made>(builder, errors, {
    name: 'createOrganization',
    description: 'Makes an organization: a tenant, whose credentials no other tenant sees.',
    inputDescription: 'What the organization is called.',
    fields: (t) => ({
      slug: t.string({ required: true, description: 'Its name in addresses: `a-z`, `0-9`, `-`.' }),
    }),
    success,
    refusals: createOrganization.refusals,
    check: ({ slug }) => [checkSlug(slug)],
    resolve: async (actor, { slug }, { gateway, requestId }) => {
      const secret = newSecret('personal-access-token');
      const input = { id: gateway.newId(), slug, admin: { id: gateway.newId(), secret } };
      const call = { actor, surface: 'graphql', requestId } as const;
      const performed = await perform(gateway, createOrganization, input, call);
      return 'refused' in performed ? performed.refused : { row: performed.done, secret };
    },
  });
}

function addCreatePersonalAccessToken(
  builder: Builder,
  errors: ErrorTypes,
  types: GraphTypes,
): void {
  const success = builder.objectRef<Made>('CreatePersonalAccessTokenSuccess').implement({
    description: 'The token is made.',
    fields: (t) => ({
      personalAccessToken: t.field({
        type: refOf(types, 'PersonalAccessToken'),
        description: 'The token, as it is listed.',
        resolve: ({ row }) => row,
      }),
      secret: t.string({
        description: 'What to send as `Authorization: Bearer`. Shown this once.',
        resolve: ({ secret }) => secret,
      }),
    }),
  });
  interface Input {
    name: string;
    permissions: string[];
    expiresAt?: number | null;
  }
  addMutation<Input, Made>(builder, errors, {
    name: 'createPersonalAccessToken',
    description:
      "Makes a personal access token in the caller's organization, with no more permissions than the caller has.",
    inputDescription: 'What the token is called and may do.',
    fields: (t) => ({
      name: t.string({ required: true, description: 'What people call it.' }),
      permissions: t.stringList({
        required: true,
        description: 'What it may do: permissions, each with or without `@project` behind it.',
      }),
      expiresAt: t.field({ type: 'DateTime', description: 'When it ends by itself.' }),
    }),
    success,
    refusals: createPersonalAccessToken.refusals,
    check: ({ expiresAt, ...input }, { gateway }) => [
      checkCallerCredential({ ...input, expiresAtMs: expiresAt ?? null }, gateway.now()),
    ],
    resolve: async (actor, { name, permissions, expiresAt }, { gateway, requestId }) => {
      const secret = newSecret('personal-access-token');
      const performed = await perform(
        gateway,
        createPersonalAccessToken,
        {
          id: gateway.newId(),
          name,
          permissions,
          secretHash: hashSecret(secret),
          expiresAtMs: expiresAt ?? null,
        },
        { actor, surface: 'graphql', requestId },
      );
      return 'refused' in performed ? performed.refused : { row: performed.done, secret };
    },
  });
}

function refOf(types: GraphTypes, name: string) {
  const ref = types.refs.get(name);
  if (ref === undefined) throw new Error(`There is no type ${name}`);
  return ref;
}
