import { type Deployment, deploymentOf } from '../delivery/deployment.ts';
import type { Attempt } from '../delivery/first-attempts.ts';
import type { Builder, FieldBuilder, Fields } from './builder.ts';

type EnvironmentResult = Deployment['environmentResults'][number];

/** One pair of types for each schema, whatever shows them. */
const types = new WeakMap<Builder, ReturnType<typeof addDeployment>>();

function addDeployment(builder: Builder) {
  const result = builder.objectRef<EnvironmentResult>('EnvironmentResult').implement({
    description: 'What became of telling one environment.',
    fields: (t) => ({
      environmentName: t.exposeString('environmentName', { description: 'The environment.' }),
      success: t.exposeBoolean('success', { description: 'Whether it has acknowledged.' }),
      message: t.exposeString('message', { description: 'What happened, for people.' }),
    }),
  });
  return builder.objectRef<Deployment>('Deployment').implement({
    description: 'What became of telling the environments; what was done stands either way.',
    fields: (t) => ({
      success: t.exposeBoolean('success', { description: 'Whether all have acknowledged.' }),
      message: t.exposeString('message', { description: 'What happened, for people.' }),
      environmentResults: t.field({
        type: [result],
        description: 'Each environment of the project.',
        resolve: ({ environmentResults }) => [...environmentResults],
      }),
    }),
  });
}

/** The field of a success that says what became of telling the environments. */
export function deploymentField<Shape extends { readonly attempts: readonly Attempt[] }>(
  t: FieldBuilder<Shape>,
  builder: Builder,
): Fields<Shape> {
  let deployment = types.get(builder);
  if (deployment === undefined) {
    deployment = addDeployment(builder);
    types.set(builder, deployment);
  }
  return {
    deployment: t.field({
      type: deployment,
      description: 'What became of telling the environments of the project.',
      resolve: ({ attempts }: Shape) => deploymentOf(attempts),
    } as never),
  };
}
