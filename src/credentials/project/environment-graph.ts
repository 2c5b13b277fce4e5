import type { ObjectRef } from '@pothos/core';
import type { Target } from '../../../db/tables.ts';
import type { Builder, Extended } from '../../graphql/builder.ts';
import type { GraphMutation } from '../../graphql/change.ts';
import type { ErrorTypes } from '../../graphql/errors.ts';
import { addMutation } from '../../graphql/mutation.ts';
import { perform } from '../../operation.ts';
import { checkUrl } from '../../targets/input.ts';
import { newWebhookSecret } from '../../targets/row.ts';
import { checkPathName } from '../input.ts';
import type { Loader } from '../load.ts';
import { createEnvironment } from './create-environment.ts';

/** The environments of projects. */
const environments: Loader<string, Target[]> = {
  async batch(db, organizationId, projectIds) {
    const rows = await db
      .selectFrom('targets')
      .selectAll()
      .where('scope_id', 'in', projectIds)
      .where('kind', '=', 'environment')
      .where('removed_at_ms', 'is', null)
      .orderBy('scope_id')
      .orderBy('name')
      .execute();
    // Not asked of the database, which would go through all environments of the organization.
    const own = rows.filter(({ organization_id }) => organization_id === organizationId);
    return projectIds.map((id) => own.filter(({ scope_id }) => scope_id === id));
  },
};

interface Given {
  projectName: string;
  name: string;
  url: string;
}

interface Made {
  readonly target: Target;
  readonly secret: string;
}

export const createEnvironmentGraph: GraphMutation = {
  mutation: 'createEnvironment',
  refusals: createEnvironment.refusals,
  addTo(builder, errors, { types }) {
    const environment = builder.objectRef<Target>('Environment').implement({
      description: 'An environment of a project: it is told of each change of a credential.',
      fields: (t) => ({
        id: t.exposeID('id', { description: 'Its id.' }),
        name: t.exposeString('name', { description: 'What it is called.' }),
        url: t.exposeString('url', { description: 'Where it is told.' }),
      }),
    });
    const project = types.refs.get('Project');
    if (project === undefined) throw new Error('There is no type Project');
    builder.objectField(project, 'environments', (t) =>
      t.field({
        type: [environment],
        description: 'Each environment of the project, by name.',
        resolve: ({ id }, _args, { loaders }) => loaders.load(environments, id),
      }),
    );
    addCreate(builder, errors, environment);
  },
};

function addCreate(
  builder: Builder,
  errors: ErrorTypes,
  environment: ObjectRef<Extended, Target>,
): void {
  const success = builder.objectRef<Made>('CreateEnvironmentSuccess').implement({
    description: 'It is done, and on disk.',
    fields: (t) => ({
      environment: t.field({
        type: environment,
        description: 'The environment.',
        resolve: ({ target }) => target,
      }),
      secret: t.string({
        description:
          'What its messages are signed with, as Standard Webhooks say. Shown this once.',
        resolve: ({ secret }) => secret,
      }),
    }),
  });
  addMutation<Given, Made>(builder, errors, {
    name: 'createEnvironment',
    description: 'Makes an environment of a project, which is told of each change of a credential.',
    inputDescription: 'Of which project, and where it is told.',
    fields: (t) => ({
      projectName: t.string({ required: true, description: 'The name of the project.' }),
      name: t.string({ required: true, description: 'What the environment is called.' }),
      url: t.string({ required: true, description: 'Where it is told: http or https.' }),
    }),
    success,
    refusals: createEnvironment.refusals,
    check: ({ name, url }, { gateway }) => [
      checkPathName('name', name),
      checkUrl(gateway, url, 'messages'),
    ],
    resolve: async (actor, given, { gateway, requestId }) => {
      const secret = newWebhookSecret();
      const secretJwe = await gateway.secretKey.seal(secret);
      const input = { ...given, id: gateway.newId(), secretJwe };
      const call = { actor, surface: 'graphql', requestId } as const;
      const performed = await perform(gateway, createEnvironment, input, call);
      return 'refused' in performed ? performed.refused : { target: performed.done, secret };
    },
  });
}
