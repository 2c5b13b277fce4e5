import { locateById } from '../find.ts';
import type { Kind } from '../kind.ts';

/** A place that follows the feed, and refuses what the feed says has ended. */
export const enforcementPoint: Kind<'enforcementPointId', null, never> = {
  name: 'enforcement-point',
  noun: 'enforcement point',
  address: 'enforcement point',
  input: { enforcementPointId: { description: 'The id of the enforcement point.' } },
  permissions: ['target:manage'],
  refusals: [],
  locate: (db, organizationId, { enforcementPointId }) =>
    locateById(db, organizationId, 'enforcement-point', enforcementPointId),
  show: async () => null,
};
