import { NameTaken } from '../refusals.ts';
import { isNameTaken } from './find.ts';
import { type Changed, type OfTarget, onTarget, setTarget } from './operation.ts';

/** What changes of an environment; what is undefined stays. */
export interface EnvironmentChange extends OfTarget {
  readonly name: string | undefined;
  readonly url: string | undefined;
}

/** Changes an environment of a project. What it is owed already goes to its new URL. */
export const updateEnvironment = onTarget<EnvironmentChange, Changed, NameTaken>({
  action: 'update',
  kind: 'environment',
  refusals: [NameTaken],

  async change(tx, target, { name = target.name, url = target.url }) {
    const renamed = name !== target.name;
    if (renamed && (await isNameTaken(tx, target.scope_id, 'environment', name))) {
      return new NameTaken();
    }
    return await setTarget(tx, target, { name, url });
  },
});
