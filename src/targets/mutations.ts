import type { GraphMutation } from '../graphql/change.ts';
import { closeDeliveryGraph } from './close-delivery-graph.ts';
import { createWebhookGraph } from './create-webhook-graph.ts';
import { removeTargetGraph } from './remove-graph.ts';
import { resumeTargetGraph } from './resume-graph.ts';
import { rotateTargetSecretGraph } from './rotate-secret-graph.ts';
import { testWebhookGraph } from './test-webhook-graph.ts';
import { updateEnvironmentGraph } from './update-environment-graph.ts';
import { updateWebhookGraph } from './update-webhook-graph.ts';

/** Everything that is done with targets, but for what makes environments and enforcement points. */
export const targetMutations: readonly GraphMutation[] = [
  createWebhookGraph,
  updateWebhookGraph,
  updateEnvironmentGraph,
  removeTargetGraph,
  rotateTargetSecretGraph,
  testWebhookGraph,
  resumeTargetGraph,
  closeDeliveryGraph,
];
