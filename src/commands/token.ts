import { Command, Option } from 'commander';
import {
  checkCallerCredential,
  createCallerToken,
} from '../credentials/personal-access-token/create.ts';
import { perform } from '../operation.ts';
import { hashSecret } from '../secrets.ts';
import { newRequestId } from '../start.ts';
import { signAccessToken } from '../tokens.ts';
import { list, milliseconds } from './arguments.ts';
import { operatorIn, orStop, orStopInvalid, withGateway } from './operator.ts';
import { print } from './output.ts';

interface Options {
  organization: string;
  permissions: string[];
  ttl: number;
  subject: string;
  json?: boolean;
}

export const token = () =>
  new Command('token')
    .description("mint a caller's JWT, and print it")
    .requiredOption('--organization <slug>', 'the organization that it is good for')
    .requiredOption('--permissions <list>', 'what it may do, divided by commas', list)
    .addOption(
      new Option('--ttl <duration>', 'how long it is good, such as 15m, 1h or 30d')
        .argParser(milliseconds)
        .default(3_600_000, '1h'),
    )
    .option('--subject <name>', 'who it is for, as the ledger will name them', 'operator')
    .option('--json', 'print JSON: id, token, expiresAt')
    .action(async (options: Options) => {
      await withGateway(async (running) => {
        const { gateway } = running;
        const actor = await operatorIn(running, options.organization);
        const id = gateway.newId();
        const issuedAtMs = gateway.now();
        const expiresAtMs = issuedAtMs + options.ttl;
        const { subject: name, permissions } = options;
        orStopInvalid(checkCallerCredential({ name, permissions, expiresAtMs }, issuedAtMs));
        const jwt = await signAccessToken(gateway, {
          id,
          subject: name,
          organization: actor.organizationSlug,
          permissions,
          chain: [actor.organizationId],
          issuedAtMs,
          expiresAtMs,
        });
        const input = { id, name, permissions, secretHash: hashSecret(jwt), expiresAtMs };
        const call = { actor, surface: 'cli', requestId: newRequestId() } as const;
        orStop(await perform(gateway, createCallerToken, input, call));
        const expiresAt = new Date(expiresAtMs).toISOString();
        print(options.json, { id, token: jwt, expiresAt }, [jwt]);
      });
    });
