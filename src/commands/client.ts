import { Command, Option } from 'commander';
import { createOauthClient, usualPermissions } from '../credentials/oauth-client/create.ts';
import { checkCallerCredential } from '../credentials/personal-access-token/create.ts';
import { oauthPaths } from '../oauth/paths.ts';
import { perform } from '../operation.ts';
import { hashSecret, newSecret } from '../secrets.ts';
import { newRequestId } from '../start.ts';
import { list } from './arguments.ts';
import { operatorIn, orStop, orStopInvalid, withGateway } from './operator.ts';
import { print } from './output.ts';

interface Options {
  organization: string;
  permissions: readonly string[];
  json?: boolean;
}

export const client = () =>
  new Command('client').description('make OAuth clients').addCommand(
    new Command('create')
      .description('make an OAuth client, and print its id and its secret')
      .argument('[name]', 'what people call it', 'client')
      .requiredOption('--organization <slug>', 'the organization in which it acts')
      .addOption(
        new Option('--permissions <list>', 'what it may do, divided by commas')
          .argParser(list)
          .default(usualPermissions, 'to introspect and to revoke'),
      )
      .option('--json', 'print JSON: clientId, clientSecret')
      .action(async (name: string, options: Options) => {
        await withGateway(async (running) => {
          const { gateway } = running;
          const actor = await operatorIn(running, options.organization);
          const { permissions } = options;
          const given = { name, permissions, expiresAtMs: null };
          orStopInvalid(checkCallerCredential(given, gateway.now()));
          const clientId = gateway.newId();
          const clientSecret = newSecret('oauth-client');
          const input = {
            ...{ id: clientId, name, permissions, publicKeys: null },
            secretHash: hashSecret(clientSecret),
          };
          const call = { actor, surface: 'cli', requestId: newRequestId() } as const;
          orStop(await perform(gateway, createOauthClient, input, call));
          print(options.json, { clientId, clientSecret }, [
            `client_id      ${clientId}`,
            `client_secret  ${clientSecret}`,
            '',
            'The secret is not shown again. What has leaked is revoked so; curl asks for the secret:',
            `  curl -u ${clientId} -d token=LEAKED ${gateway.publicUrl}${oauthPaths.revocation}`,
          ]);
        });
      }),
  );
