import { validate, version } from 'uuid';
import { expect, test } from 'vitest';
import { createIds } from '../src/ids.ts';

test('ids are UUIDv7, each greater than the one before, whatever the clock does', () => {
  let nowMs = Date.UTC(2026, 10, 21);
  const newId = createIds(() => nowMs);
  const ids = Array.from({ length: 20_000 }, (_, i) => {
    // Stands for a while, goes on, and goes back.
    if (i % 1_000 === 999) nowMs += i % 3_000 === 2_999 ? -5 : 2;
    return newId();
  });
  expect(ids).toEqual(ids.toSorted());
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.every((id) => validate(id) && version(id) === 7)).toBe(true);
  expect(Number.parseInt(ids[0]?.replaceAll('-', '').slice(0, 12) ?? '', 16)).toBe(
    Date.UTC(2026, 10, 21),
  );
});

test('two makers of ids have nothing in common', () => {
  const [one, other] = [createIds(() => 1), createIds(() => 1)];
  const tails = (newId: () => string) =>
    Array.from({ length: 600 }, () => newId().split('-').slice(3).join('-'));
  const made = new Set(tails(one));
  expect(tails(other).filter((tail) => made.has(tail))).toEqual([]);
});
