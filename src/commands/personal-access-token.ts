import { Command, Option } from 'commander';
import {
  checkCallerCredential,
  createPersonalAccessToken,
} from '../credentials/personal-access-token/create.ts';
import { perform } from '../operation.ts';
import { hashSecret, newSecret } from '../secrets.ts';
import { newRequestId } from '../start.ts';
import { list, milliseconds } from './arguments.ts';
import { operatorIn, orStop, orStopInvalid, withGateway } from './operator.ts';
import { print } from './output.ts';

interface Options {
  organization: string;
  permissions: string[];
  ttl?: number;
  json?: boolean;
}

export const personalAccessToken = () =>
  new Command('personal-access-token').description('make personal access tokens').addCommand(
    new Command('create')
      .description('make a personal access token, and print its secret')
      .argument('<name>', 'what people call it')
      .requiredOption('--organization <slug>', 'the organization that it is good for')
      .requiredOption('--permissions <list>', 'what it may do, divided by commas', list)
      .addOption(
        new Option('--ttl <duration>', 'how long it is good; for good unless said').argParser(
          milliseconds,
        ),
      )
      .option('--json', 'print JSON: id, secret, expiresAt')
      .action(async (name: string, options: Options) => {
        await withGateway(async (running) => {
          const { gateway } = running;
          const actor = await operatorIn(running, options.organization);
          const { permissions, ttl } = options;
          const now = gateway.now();
          const expiresAtMs = ttl === undefined ? null : now + ttl;
          orStopInvalid(checkCallerCredential({ name, permissions, expiresAtMs }, now));
          const id = gateway.newId();
          const secret = newSecret('personal-access-token');
          const input = { id, name, permissions, secretHash: hashSecret(secret), expiresAtMs };
          const call = { actor, surface: 'cli', requestId: newRequestId() } as const;
          orStop(await perform(gateway, createPersonalAccessToken, input, call));
          const expiresAt = expiresAtMs === null ? null : new Date(expiresAtMs).toISOString();
          print(options.json, { id, secret, expiresAt }, [secret]);
        });
      }),
  );
