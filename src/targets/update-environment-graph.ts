import { checkPathName } from '../credentials/input.ts';
import { targetGraph, targetIdField } from './graph.ts';
import { checkUrl } from './input.ts';
import { updateEnvironment } from './update-environment.ts';

interface Given {
  targetId: string;
  name?: string | null;
  url?: string | null;
}

export const updateEnvironmentGraph = targetGraph(updateEnvironment, {
  mutation: 'updateEnvironment',
  description:
    'Changes an environment of a project. What it is owed already goes to its new URL, at the next attempt; `resumeTarget` has that made at once.',
  inputDescription: 'Which environment, and what changes.',
  fields: (t) => ({
    targetId: targetIdField(t, 'environment'),
    name: t.string({ description: 'What the environment is called. As before, unless said.' }),
    url: t.string({ description: 'Where it is told: http or https. As before, unless said.' }),
  }),
  shows: 'environment',
  check: ({ name, url }: Given, { gateway }) => [
    name == null ? undefined : checkPathName('name', name),
    url == null ? undefined : checkUrl(gateway, url, 'messages'),
  ],
  prepare: async ({ targetId, name, url }: Given) => ({
    input: { targetId, name: name ?? undefined, url: url ?? undefined },
  }),
});
