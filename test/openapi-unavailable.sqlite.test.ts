import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeAll, misfit, placesIn } from './openapi.ts';
import { openDemo, send } from './openapi-requests.ts';

/** What is described of a gateway that cannot do it for now is what is answered then. */

const document = describeAll();

test('every operation that needs the database answers 503 as described, and no other', async () => {
  const h = await openDemo();
  const file = join(h.folder, 'gateway.db');
  renameSync(file, `${file}.away`);
  // Whatever only reads may go on for a second.
  const ready = async () => (await h.rest('GET', '/.well-known/jwks.json')).status;
  await expect.poll(ready, { timeout: 5_000 }).toBe(503);

  const unavailable: string[] = [];
  for (const at of placesIn(document)) {
    const answer = await send(h, at);
    expect([at.operationId, misfit(document, at, answer)]).toEqual([at.operationId, '']);
    if (answer.status === 503) unavailable.push(at.operationId);
  }
  const described = placesIn(document).filter(({ responses }) => '503' in responses);
  expect(unavailable).toEqual(described.map(({ operationId }) => operationId));
  renameSync(`${file}.away`, file);
});
