import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { newSecretKey, readSecrets, secretKeyOf, secretsText } from '../src/keys/secret-key.ts';
import { filled } from './backups.ts';
import { mutate } from './enforcement.ts';
import { past } from './engine.ts';
import { listed } from './keys.ts';
import { listen } from './loopback.ts';
import { gateway, gatewayJson, serve } from './processes.ts';

/** Another secret key for what the database has sealed, and what interrupts that. */

interface Reencrypted {
  readonly secretKeyFile: string;
  readonly keptAs: string | null;
  readonly sealed: number;
}

/** A gateway that serves, with a webhook, and what that was told. */
async function withHook() {
  const given = await filled(3, { OUTBOUND_ALLOW: '127.0.0.0/8' });
  const receiver = await listen((response) => response.writeHead(204).end());
  const served = await serve(given.env);
  const { secret } = await mutate<{ secret: string }>(
    { url: served.url, admin: given.demo.callers.admin },
    'createWebhook',
    { name: 'hook', url: receiver.url },
    'secret',
  );
  const revoke = async (url: string, i: number) => {
    const { applicationId, keyId } = given.demo.apiKey[i] ?? {};
    const gatewayAt = { url, admin: given.demo.callers.admin };
    await mutate(gatewayAt, 'revokeApiKey', { applicationId, keyId });
  };
  /** How many messages came whose signatures are good. */
  const told = () => {
    const hook = new Webhook(secret);
    for (const { body, headers } of receiver.received) {
      hook.verify(body, headers as Record<string, string>);
    }
    return receiver.received.length;
  };
  return { ...given, served, revoke, told };
}

test('everything is sealed anew, and webhooks are signed as before', async () => {
  const { env, folder, at, served, revoke, told } = await withHook();
  const file = at('secret.key');
  await revoke(served.url, 0);
  await expect.poll(told).toBe(1);
  const before = readFileSync(file, 'utf8');
  const keysBefore = await listed(env);
  const used = await gateway(env, 'key', 'reencrypt');
  expect([used.code, used.stderr]).toEqual([
    1,
    expect.stringMatching(/^Another process has .* open: stop every gateway/),
  ]);
  expect(readFileSync(file, 'utf8')).toBe(before);
  expect(readdirSync(folder).filter((name) => /^secret\.key/.test(name))).toEqual(['secret.key']);

  served.kill('SIGTERM');
  await served.ended;
  const done = await gatewayJson<Reencrypted>(env, 'key', 'reencrypt');
  expect(done).toEqual({ secretKeyFile: file, keptAs: expect.any(String), sealed: 2 });
  const keptAs = done.keptAs ?? '';
  expect(readFileSync(keptAs, 'utf8')).toBe(before);
  expect(readSecrets(file)).toHaveLength(1);
  expect(readSecrets(file)).not.toEqual(readSecrets(keptAs));
  for (const each of [file, keptAs]) expect(statSync(each).mode & 0o777).toBe(0o600);
  const other = await past(folder);
  const sealed = await other.all<{ jwe: string }>(
    `select private_jwe as jwe from signing_keys
     union all select secret_jwe from targets where secret_jwe <> ''`,
  );
  await other.close();
  const [old, now] = [keptAs, file].map((each) => secretKeyOf(readSecrets(each)));
  expect(sealed).toHaveLength(2);
  for (const { jwe } of sealed) {
    await expect(now?.unseal(jwe)).resolves.toBeTruthy();
    await expect(old?.unseal(jwe)).rejects.toThrow();
  }
  expect(await listed(env)).toEqual(keysBefore);
  // Who has the old file alone cannot start.
  const refused = await gateway({ ...env, SECRET_KEY_FILE: keptAs }, 'key', 'list');
  expect(refused.stderr).toContain('point SECRET_KEY_FILE to the file');
  const again = await serve(env);
  await revoke(again.url, 1);
  await expect.poll(told).toBe(2);
}, 60_000);

test('one that was interrupted is finished, and serves meanwhile', async () => {
  const { env, at } = await filled();
  const file = at('secret.key');
  const before = readSecrets(file);
  // As it is left before anything is sealed anew; and behind that, before the old one is taken out.
  const secret = newSecretKey();
  writeFileSync(file, secretsText([secret, ...before]));
  const keys = await listed(env);
  const done = await gatewayJson<Reencrypted>(env, 'key', 'reencrypt');
  expect(done).toMatchObject({ keptAs: null, sealed: 1 });
  expect(readSecrets(file)).toEqual([secret]);
  writeFileSync(file, secretsText([secret, ...before]));
  const served = await serve(env);
  const refused = await gateway(env, 'key', 'reencrypt');
  expect(refused.stderr).toContain('stop every gateway');
  expect(readSecrets(file)).toEqual([secret, ...before]);
  served.kill('SIGTERM');
  await served.ended;
  expect(await gateway(env, 'key', 'reencrypt')).toMatchObject({ code: 0, stderr: '' });
  expect(readSecrets(file)).toEqual([secret]);
  expect(await listed(env)).toEqual(keys);
}, 60_000);
