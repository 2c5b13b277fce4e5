import { setTimeout as wait } from 'node:timers/promises';
import { StartError } from '../../start-error.ts';
import type { Connection } from './connection.ts';
import { graphql } from './graphql.ts';
import { printable, say } from './screen.ts';

/** For how long it is looked whether the targets have learnt of what is revoked. */
const EFFECT_WAIT_MS = 2_000;

/** The pause between two looks. */
const EFFECT_LOOK_MS = 150;

/** Revocations whose targets are looked at, at the most: each may have hundreds. */
export const EFFECTS_MAX = 50;

interface TargetEffect {
  readonly target: string;
  readonly kind: string;
  readonly state: string;
  readonly lastError: string | null;
}

/** What a revocation has reached, by its id. */
export type Effects = ReadonlyMap<string, readonly TargetEffect[]>;

/**
 * Where revocations stand, once every target has acknowledged them or some time has passed. There are none
 * of what the caller may not see, and none where the gateway does not say: they are done in any case.
 */
export async function effectsOf(
  connection: Connection,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Effects> {
  if (ids.length === 0 || ids.length > EFFECTS_MAX) return new Map();
  const until = performance.now() + EFFECT_WAIT_MS;
  let effects: Effects = new Map();
  try {
    for (;;) {
      effects = await look(connection, ids, signal);
      const pending = [...effects.values()].flat().some(({ state }) => state === 'PENDING');
      if (!pending || performance.now() > until) return effects;
      await wait(EFFECT_LOOK_MS, undefined, { signal });
    }
  } catch (error) {
    if (!(error instanceof StartError) && !signal.aborted) throw error;
    return effects;
  }
}

async function look(
  connection: Connection,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Effects> {
  const names = ids.map((_id, i) => `i${i}`);
  const query = `query (${names.map((name) => `$${name}: ID!`).join(', ')}) {
    me { ${names.map((name) => `${name}: revocation(id: $${name}) { ...Reached }`).join(' ')} }
  }
  fragment Reached on Revocation { effect { targets { target kind state lastError } } }`;
  const variables = Object.fromEntries(names.map((name, i) => [name, ids[i]]));
  const { me } = await graphql<{ me: Record<string, Revocation | null> | null }>(
    ...([connection, query, variables] as const),
    { signal, patienceMs: EFFECT_WAIT_MS },
  );
  return new Map(
    ids.flatMap((id, i) => {
      const found = me?.[`i${i}`];
      return found == null ? [] : [[id, found.effect.targets] as const];
    }),
  );
}

interface Revocation {
  readonly effect: { readonly targets: readonly TargetEffect[] };
}

/** How many targets have acknowledged, of those that should; null where that is not known. */
export function reached(targets: readonly TargetEffect[] | undefined) {
  if (targets === undefined) return null;
  const owed = targets.filter(({ state }) => state !== 'CLOSED');
  return {
    reached: owed.filter(({ state }) => state === 'EFFECTIVE').length,
    total: owed.length,
  };
}

/** Says which targets have not acknowledged everything, and what went wrong there. */
export function sayWhereNot(effects: Effects): void {
  const behind = new Map<string, string | null>();
  for (const { target, kind, state, lastError } of [...effects.values()].flat()) {
    if (state !== 'PENDING' && state !== 'STUCK') continue;
    const where = `${kind} ${target}: ${state}`;
    behind.set(where, behind.get(where) ?? lastError);
  }
  for (const [where, error] of behind) {
    say(`Not reached yet: ${printable(error === null ? where : `${where}, ${error}`)}`);
  }
}
