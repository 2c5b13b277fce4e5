import { expect, test } from 'vitest';
import { examine } from './doctors.ts';
import { makeKey } from './issuers.ts';
import { listen } from './loopback.ts';
import { newFolder, settingsIn } from './processes.ts';

/** Keys of trusted issuers, as they can be reached from here. */

const OUTBOUND_ALLOW = '127.0.0.0/8';

/** What is found of an issuer whose keys are read so. */
async function found(jwksUrl: string, more: Record<string, string> = { OUTBOUND_ALLOW }) {
  const issuer = { issuer: 'https://issuer.example', audience: 'gateway', jwksUrl };
  const env = { ...settingsIn(newFolder()), ...more, TRUSTED_ISSUERS: JSON.stringify([issuer]) };
  const [finding] = (await examine(env)).of('TRUSTED_ISSUERS');
  return [finding?.status, finding?.what];
}

test('what is there is counted', async () => {
  const { jwk } = await makeKey();
  const server = await listen((response) => response.end(JSON.stringify({ keys: [jwk, jwk] })));
  expect(await found(server.url)).toEqual([
    'ok',
    `https://issuer.example: 2 keys at ${server.url}`,
  ]);
  const inSetting = { issuer: 'https://issuer.example', audience: 'gateway', keys: [jwk] };
  const env = { ...settingsIn(newFolder()), TRUSTED_ISSUERS: JSON.stringify([inSetting]) };
  expect((await examine(env)).of('TRUSTED_ISSUERS')).toMatchObject([
    { status: 'ok', what: 'https://issuer.example: its keys are in the setting' },
  ]);
});

test('what cannot be read is a problem, with why', async () => {
  const failing = await listen((response) => response.writeHead(500).end());
  const empty = await listen((response) => response.end('{ "keys": [] }'));
  const none = await listen((response) => response.end('hello'));
  const gone = await listen((response) => response.end());
  await gone.close();
  const because = (words: string) => ['problem', expect.stringContaining(words)];
  expect(await found(failing.url)).toEqual(because('(it answers 500)'));
  expect(await found(empty.url)).toEqual(because('(it has no keys)'));
  expect(await found(none.url)).toEqual(because('cannot be read ('));
  expect(await found(gone.url)).toEqual(because('ECONNREFUSED'));
  expect(await found(empty.url, {})).toEqual(because('not in OUTBOUND_ALLOW'));
});
