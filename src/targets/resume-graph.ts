import { targetGraph, targetIdField } from './graph.ts';
import type { OfTarget } from './operation.ts';
import { resumeRest, resumeTarget } from './resume.ts';

export const resumeTargetGraph = targetGraph(resumeTarget, {
  mutation: 'resumeTarget',
  description:
    'Has everything that is stuck at a target tried again, with as many attempts as at first, and what waits for its next attempt tried at once.',
  inputDescription: 'Which target to tell again.',
  fields: (t) => ({ targetId: targetIdField(t, 'target') }),
  shows: 'target',
  success: (t) => ({
    resumed: t.int({
      description: 'How many deliveries were stuck.',
      resolve: ({ done }) => done.count,
    }),
  }),
  wakes: true,
  finish: ({ writes }, done) => resumeRest(writes, done),
  prepare: async ({ targetId }: OfTarget) => ({ input: { targetId } }),
});
