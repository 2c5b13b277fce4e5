import { renameSync } from 'node:fs';
import { expect, test } from 'vitest';
import { backUp, filled, lookInto, restoreFrom } from './backups.ts';
import { followThrough, mutate, said, until } from './enforcement.ts';
import { freePort } from './postgres-server.ts';
import { serve } from './processes.ts';

/** A verifier whose gateway was restored from a backup, and has gone on since. */

test('what the restored ledger has in the place of what it knew is not missed', async () => {
  const PORT = String(await freePort());
  const { env, demo, file, at } = await filled(12, { PORT });
  const first = await serve(env);
  const gateway = { url: `http://127.0.0.1:${PORT}`, admin: demo.callers.admin };
  const { verifier, proxy } = await followThrough(gateway);
  const revokeKey = (i: number) => {
    const { applicationId, keyId } = demo.apiKey[i] ?? {};
    return mutate(gateway, 'revokeApiKey', { applicationId, keyId });
  };
  const ofKey = (i: number) => said(verifier, demo.apiKey[i]?.key ?? '');
  const ofToken = (i: number) => said(verifier, demo.jwtAuth[i]?.accessToken ?? '');
  await backUp(env, at('backup.db'));
  // What the verifier is told, and is in no backup: as many entries as come behind it below.
  for (let i = 0; i < 3; i++) await revokeKey(i);
  await mutate(gateway, 'revokeIdentity', { identityId: demo.jwtAuth[0]?.identityId });
  await until(async () => (await ofToken(0)) === 'revoked');
  for (const i of [5, 6]) expect([await ofKey(i), await ofToken(i)]).toEqual(['good', 'good']);
  const { position } = verifier.status();

  await proxy.cut();
  first.kill('SIGKILL');
  await first.ended;
  const { keptAs } = await restoreFrom(env, at('backup.db'));
  const second = await serve(env);
  await revokeKey(5);
  await mutate(gateway, 'revokeIdentity', { identityId: demo.jwtAuth[5]?.identityId });
  // Past where the verifier was.
  for (let i = 7; i < 11; i++) await revokeKey(i);
  const end = lookInto(file, (db) => db.prepare('select max(seq) from ledger').pluck().get());
  expect(end).toBeGreaterThan(position ?? 0);
  await proxy.restore();
  await until(() => verifier.status().live && verifier.status().position === end);
  expect([await ofKey(5), await ofToken(5)]).toEqual(['invalid', 'revoked']);
  expect([await ofKey(6), await ofToken(6)]).toEqual(['good', 'good']);
  // As the gateway has it, they are good again.
  expect([await ofKey(0), await ofToken(0)]).toEqual(['good', 'good']);
  expect(verifier.status().revokedIds).toBeLessThan(10);

  // And again what was there before, which has not gone on meanwhile: the verifier is beyond its end.
  await proxy.cut();
  second.kill('SIGKILL');
  await second.ended;
  for (const suffix of ['-wal', '-shm']) renameSync(file + suffix, at(`late${suffix}`));
  renameSync(keptAs ?? '', file);
  await serve(env);
  await proxy.restore();
  await until(() => verifier.status().live);
  await until(async () => (await ofToken(0)) === 'revoked');
  expect([await ofKey(0), await ofKey(5), await ofToken(5)]).toEqual(['invalid', 'good', 'good']);
}, 120_000);
