import { problem } from '../credentials/input.ts';
import { targetGraph, targetIdField } from './graph.ts';
import { OVERLAP_DEFAULT_S, OVERLAP_MAX_S, rotateSecret } from './rotate-secret.ts';
import { newWebhookSecret } from './row.ts';

interface Given {
  targetId: string;
  overlapSeconds?: number | null;
}

export const rotateTargetSecretGraph = targetGraph(rotateSecret, {
  mutation: 'rotateTargetSecret',
  description:
    'Gives a webhook or an environment another secret. For a while its messages carry a signature with each of the two.',
  inputDescription: 'Of which target, and for how long the old secret signs along.',
  fields: (t) => ({
    targetId: targetIdField(t, 'webhook or the environment'),
    overlapSeconds: t.int({
      description: `For how long the old secret signs along: from 0, where it is known to somebody else, to ${OVERLAP_MAX_S} (30 days); ${OVERLAP_DEFAULT_S} (a day), unless said.`,
    }),
  }),
  shows: 'target',
  secret: true,
  success: (t) => ({
    previousSecretUntil: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Until when the old secret signs along; null: no more.',
      resolve: ({ done }) => done.target.previous_secret_until_ms,
    }),
  }),
  check: ({ overlapSeconds }: Given) => [
    problem(
      'overlapSeconds',
      overlapSeconds != null && (overlapSeconds < 0 || overlapSeconds > OVERLAP_MAX_S)
        ? `Must be from 0 to ${OVERLAP_MAX_S}`
        : undefined,
    ),
  ],
  prepare: async ({ targetId, overlapSeconds }: Given, { gateway }) => {
    const secret = newWebhookSecret();
    const secretJwe = await gateway.secretKey.seal(secret);
    return {
      input: { targetId, secretJwe, overlapS: overlapSeconds ?? OVERLAP_DEFAULT_S },
      secret,
    };
  },
});
