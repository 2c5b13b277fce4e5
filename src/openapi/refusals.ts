import {
  AlreadyRevoked,
  type InvalidInput,
  NotFound,
  PermissionDenied,
  type Refusal,
  type RefusalClass,
  Unauthenticated,
  unauthenticatedReasons,
} from '../refusals.ts';

/** Something that is refused, and by what name and why it is told apart from others of its class. */
export interface Sample {
  readonly name: string;
  readonly what: string;
  readonly when: string;
  readonly refusal: Refusal;
}

/** What may be missing, as far as some route has words of its own for it. */
const missing = ['project', 'gateway credential', 'JWK'];

/** Of each class, what the words for it may depend on; any other class has one way to be. */
const varied: Record<string, (permissions: readonly string[]) => readonly [string, Refusal][]> = {
  [Unauthenticated.code]: () =>
    unauthenticatedReasons.flatMap((reason) =>
      [true, false].map((jwt) => [reason, new Unauthenticated(reason, jwt)] as [string, Refusal]),
    ),
  [NotFound.code]: () => missing.map((what) => [what.replace(' ', '-'), new NotFound(what)]),
  [PermissionDenied.code]: (permissions) => [['', new PermissionDenied(permissions)]],
  [AlreadyRevoked.code]: () => [['', new AlreadyRevoked(0)]],
};

/** Every way in which something of a class can be refused. */
export function samplesOf(
  refusalClass: RefusalClass,
  { invalid, permissions = [] }: { invalid: InvalidInput; permissions?: readonly string[] },
): readonly Sample[] {
  const { code, description } = refusalClass;
  const name = code.toLowerCase().replaceAll('_', '-');
  const what = description;
  if (code === invalid.code) return [{ name, what, when: what, refusal: invalid }];
  const ways = varied[code]?.(permissions) ?? [['', new refusalClass()] as const];
  return ways.map(([way, refusal]) => ({
    name: way === '' ? name : `${name}.${way}`,
    what,
    when: ways.length > 1 ? refusal.message : what,
    refusal,
  }));
}
