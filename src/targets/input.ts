import { problem } from '../credentials/input.ts';
import type { Gateway, UrlPurpose } from '../gateway.ts';
import type { InvalidInput } from '../refusals.ts';

/** The longest URL at which a target is told, in characters. */
export const URL_MAX = 2_000;

/** Says no to URLs at which nobody may be told. What a name leads to is looked at when it is called. */
export const checkUrl = (
  gateway: Pick<Gateway, 'urlProblem'>,
  url: string,
  purpose: UrlPurpose,
): InvalidInput | undefined =>
  problem(
    'url',
    url.length > URL_MAX ? `At most ${URL_MAX} characters` : gateway.urlProblem(url, purpose),
  );

/** Says no to a list that has nothing: who wants all leaves it out. */
export const checkNotEmpty = (
  path: string,
  list: readonly unknown[] | null | undefined,
): InvalidInput | undefined =>
  problem(path, list?.length === 0 ? 'Name at least one, or leave it out for all' : undefined);
