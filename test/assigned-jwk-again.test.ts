import { expect, test } from 'vitest';
import { assign, makeAssigned, makeJwk, names, signAs, standingFor } from './assigned.ts';
import { openGateway } from './harness.ts';

/** A JWK that is taken from a gateway credential and given back: it revives nothing. */

const { projectName } = names;

test('a JWT is refused once another JWK takes the place of its own, for good', async () => {
  const clock = { now: Date.now() };
  const h = await openGateway({ count: 0, now: () => clock.now });
  const key = await makeAssigned(h);
  const token = await signAs(key, { iat: Math.floor(clock.now / 1000) });
  const second = await makeJwk(h, { projectName, jwkName: 'second' });
  await assign(h, { ...names, jwkName: 'second' });
  expect(await standingFor(h, token)).toBe('revoked');
  expect(await standingFor(h, await signAs(second))).toBe('good');
  await assign(h);
  // Given back, the key counts for what it signs from then on; what may be older stays refused.
  expect(await standingFor(h, token)).toBe('cutOff');
  expect(await standingFor(h, await signAs(key, { iat: undefined }))).toBe('cutOff');
  clock.now += 2_000;
  const iat = Math.floor(clock.now / 1000);
  expect(await standingFor(h, await signAs(key, { iat }))).toBe('good');
  expect(await standingFor(h, await signAs(second))).toBe('revoked');
});
