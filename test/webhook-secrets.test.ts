import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import {
  makeHook,
  movableClock,
  mutate,
  open as openMessage,
  openReaching,
  revokeKey,
  until,
  untilAcknowledged,
} from './targets.ts';

/** Which secrets the messages of a webhook are signed with while it gets another. */

describe('another secret', () => {
  interface Rotated {
    secret: string;
    previousSecretUntil: string | null;
  }
  const asked = 'secret previousSecretUntil';

  /** Which of the secrets the last message is signed with. */
  async function lastSignedWith(
    h: Parameters<typeof makeHook>[0],
    hook: Awaited<ReturnType<typeof makeHook>>,
    secrets: Record<string, string>,
  ) {
    const { length } = hook.receiver.received;
    await mutate(h, 'testWebhook', { targetId: hook.id }, 'success');
    expect(hook.receiver.received).toHaveLength(length + 1);
    const { headers = {}, body = '' } = hook.receiver.received.at(-1) ?? {};
    const sent = headers as Record<string, string>;
    const good = Object.entries(secrets).filter(([, secret]) => {
      try {
        return new Webhook(secret).verify(body, sent);
      } catch {
        return false;
      }
    });
    const signatures = String(sent['webhook-signature']).split(' ');
    expect(signatures).toHaveLength(good.length);
    return good.map(([name]) => name);
  }

  test('signs beside the old one until the overlap is over', async () => {
    const clock = movableClock();
    const h = await openReaching({ now: clock.now });
    const hook = await makeHook(h, 'hook');
    const before = clock.now();
    const input = { targetId: hook.id, overlapSeconds: 60 };
    const rotated = await mutate<Rotated>(h, 'rotateTargetSecret', input, asked);
    const untilMs = Date.parse(rotated.previousSecretUntil ?? '');
    expect(untilMs - before).toBeGreaterThanOrEqual(60_000);
    expect(untilMs - clock.now()).toBeLessThanOrEqual(60_000);
    const secrets = { old: hook.secret, new: rotated.secret };
    expect(await lastSignedWith(h, hook, secrets)).toEqual(['old', 'new']);
    clock.advance(61_000);
    expect(await lastSignedWith(h, hook, secrets)).toEqual(['new']);
  });

  test('signs alone at once where the old one has leaked', async () => {
    const h = await openReaching();
    const hook = await makeHook(h, 'hook');
    const input = { targetId: hook.id, overlapSeconds: 0 };
    const rotated = await mutate<Rotated>(h, 'rotateTargetSecret', input, asked);
    expect(rotated.previousSecretUntil).toBeNull();
    const secrets = { old: hook.secret, new: rotated.secret };
    expect(await lastSignedWith(h, hook, secrets)).toEqual(['new']);
  });

  test('after another leaves the last two', async () => {
    const h = await openReaching();
    const hook = await makeHook(h, 'hook');
    const rotate = () => mutate<Rotated>(h, 'rotateTargetSecret', { targetId: hook.id }, asked);
    const [second, third] = [await rotate(), await rotate()];
    const days = (Date.parse(third.previousSecretUntil ?? '') - Date.now()) / 86_400_000;
    expect(days).toBeCloseTo(1, 2);
    const secrets = { first: hook.secret, second: second.secret, third: third.secret };
    expect(await lastSignedWith(h, hook, secrets)).toEqual(['second', 'third']);
  });

  test('counts for what is already on its way', async () => {
    const h = await openReaching();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const hook = await makeHook(h, 'hook', async (response) => {
      await held;
      response.end();
    });
    for (let i = 0; i < 3; i++) await revokeKey(h, i);
    await until(() => expect(hook.receiver.received).toHaveLength(1));
    const input = { targetId: hook.id, overlapSeconds: 0 };
    const { secret } = await mutate<Rotated>(h, 'rotateTargetSecret', input, asked);
    release();
    await untilAcknowledged(h, hook, 3);
    const [first, ...others] = hook.receiver.received;
    if (first === undefined) throw new Error('nothing received');
    expect(openMessage(hook.secret, first)).toHaveProperty('id');
    for (const request of others) expect(openMessage(secret, request)).toHaveProperty('id');
  });
});
