import { ATTEMPTS_MAX } from '../src/delivery/retry.ts';
import {
  failAttempts,
  type Hook,
  makeHook,
  movableClock,
  openReaching,
  revokeKey,
} from './targets.ts';

/** A gateway with a webhook that is unwell until it is said, and what that is owed. */
export async function withUnwell(count = 2) {
  const clock = movableClock();
  // Late is another test's matter.
  const h = await openReaching({ now: clock.now, config: { effectBoundMs: 86_400_000 } });
  let well = false;
  const hook = await makeHook(h, 'hook', (r) => r.writeHead(well ? 204 : 500).end(), {
    events: ['CREDENTIAL_REVOKED'],
  });
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.push(await revokeKey(h, i));
  await failAttempts(h, clock, hook, 1);
  const recover = () => {
    well = true;
  };
  return { h, clock, hook, ids, recover };
}

/** The same, with its first delivery stuck. */
export async function withStuck(count = 2) {
  const made = await withUnwell(count);
  await failAttempts(made.h, made.clock, made.hook, ATTEMPTS_MAX);
  return made;
}

/** The ids of the messages that a webhook was sent, in order. */
export const namesTold = (hook: Hook) =>
  hook.receiver.received.map(({ headers }) => headers['webhook-id']);
