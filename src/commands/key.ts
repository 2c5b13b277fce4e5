import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import ms from 'ms';
import { readConfig } from '../config.ts';
import { checkAlone } from '../database/alone.ts';
import { type ListedKey, listKeys } from '../keys/key-list.ts';
import { beginReplacement, endReplacement, reencrypt } from '../keys/reencrypt.ts';
import { type KeyChange, retireKey, rotateKey } from '../keys/rotate.ts';
import { newRequestId, type Running } from '../start.ts';
import { milliseconds } from './arguments.ts';
import { operatorName, withGateway } from './operator.ts';
import { print } from './output.ts';

interface Options {
  publishFor: number;
  emergency?: boolean;
  force?: boolean;
  json?: boolean;
}

export const keyCommand = () =>
  new Command('key')
    .description('list, rotate and retire the keys with which the gateway signs')
    .addCommand(list())
    .addCommand(rotate())
    .addCommand(retire())
    .addCommand(reencryptCommand());

const changeBy = ({ gateway }: Running): KeyChange => ({
  ...gateway,
  ...{ actor: operatorName(), requestId: newRequestId() },
});

const iso = (atMs: number) => new Date(atMs).toISOString();

const list = () =>
  new Command('list')
    .description('list the keys: which signs, which count, and until when tokens need them')
    .option('--json', 'print JSON: keys')
    .action(async ({ json }: Options) => {
      await withGateway(async ({ gateway }) => {
        const keys = await listKeys(gateway.reader, gateway.now());
        print(json, { keys: keys.map(shown) }, keys.map(lineOf));
      });
    });

const shown = ({ kid, state, ...key }: ListedKey) => ({
  ...{ kid, state, createdAt: iso(key.createdAtMs), signsFrom: iso(key.signsFromMs) },
  retiredAt: key.retiredAtMs === null ? null : iso(key.retiredAtMs),
  tokensUntil: key.tokensUntilMs === undefined ? null : iso(key.tokensUntilMs),
});

function lineOf({ kid, state, ...key }: ListedKey): string {
  const said = [kid, state.padEnd('verifying'.length), `signs from ${iso(key.signsFromMs)}`];
  if (key.tokensUntilMs !== undefined) said.push(`its tokens until ${iso(key.tokensUntilMs)}`);
  if (key.retiredAtMs !== null) said.push(`retired ${iso(key.retiredAtMs)}`);
  return said.join('  ');
}

const rotate = () =>
  new Command('rotate')
    .description('make another signing key, beside gateways that serve')
    .addOption(
      new Option('--publish-for <duration>', 'how long it is published before it signs')
        .argParser(milliseconds)
        .default(ms('10m'), '10m'),
    )
    .addOption(
      new Option(
        '--emergency',
        'a key has leaked: sign with the new one at once, and retire every other',
      ).conflicts('publishFor'),
    )
    .option('--json', 'print JSON: kid, signsFrom, retired')
    .addHelpText(
      'after',
      `
Examples:
  gateway key rotate
  gateway key rotate --publish-for 24h
  gateway key rotate --emergency

Tokens that the key before has signed stay good until they expire or it is retired.
docs/operations.md says more.`,
    )
    .action(async ({ publishFor, emergency = false, json }: Options) => {
      await withGateway(async (running) => {
        const how = { publishForMs: publishFor, emergency };
        const rotated = await rotateKey(changeBy(running), running.secretKey, how);
        const { kid, retired } = rotated;
        const signsFrom = iso(rotated.signsFromMs);
        print(json, { kid, signsFrom, retired }, [
          `Key ${kid} is published, and signs from ${signsFrom}.`,
          ...retired.map((each) => `Key ${each} is retired: its signatures count no more.`),
        ]);
      });
    });

const retire = () =>
  new Command('retire')
    .description('have signatures of a key count no more')
    .argument('<kid>', 'the id of the key, as "key list" has it')
    .option('--force', 'also where tokens that it has signed are good')
    .option('--json', 'print JSON: kid')
    .action(async (kid: string, { force = false, json }: Options) => {
      await withGateway(async (running) => {
        await retireKey(changeBy(running), kid, force);
        print(json, { kid }, [`Key ${kid} is retired: its signatures count no more.`]);
      });
    });

const reencryptCommand = () =>
  new Command('reencrypt')
    .description('give SECRET_KEY_FILE a new secret key; stop every gateway first')
    .option('--json', 'print JSON: secretKeyFile, keptAs, sealed')
    .addHelpText(
      'after',
      `
Everything that the secret key seals in the database is sealed anew. The file of before is
kept: backups of before need it. Interrupted, run it again. docs/operations.md says more.`,
    )
    .action(async ({ json }: Options) => {
      const { databaseUrl, secretKeyFile } = readConfig();
      const { keptAs, undo } = await beginReplacement(secretKeyFile);
      try {
        // Behind the new file: a gateway that starts from now on reads that one.
        await checkAlone(databaseUrl);
      } catch (error) {
        await undo();
        throw error;
      }
      let sealed = 0;
      await withGateway(async ({ gateway }) => {
        sealed = await reencrypt(gateway);
      });
      await endReplacement(secretKeyFile);
      const file = resolve(secretKeyFile);
      print(json, { secretKeyFile: file, keptAs: keptAs ?? null, sealed }, [
        `${file} has a new secret key, with which everything is sealed anew: ${sealed} rows.`,
        ...(keptAs === undefined ? [] : [`Backups of before need the one before: ${keptAs}.`]),
      ]);
    });
