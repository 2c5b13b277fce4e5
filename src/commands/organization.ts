import { Command } from 'commander';
import { checkSlug } from '../credentials/input.ts';
import { createOrganization } from '../credentials/organization/create.ts';
import { howToRun } from '../how-to-run.ts';
import { perform } from '../operation.ts';
import { newRequestId } from '../start.ts';
import { findOperatorIn, operator, orStop, orStopInvalid, withGateway } from './operator.ts';
import { print } from './output.ts';

export const organization = () =>
  new Command('organization').description('make organizations').addCommand(
    new Command('create')
      .description('make an organization: a tenant, whose credentials no other tenant sees')
      .argument('<slug>', 'its name in addresses: a-z, 0-9, -')
      .option('--json', 'print JSON')
      .action(async (slug: string, { json }: { json?: boolean }) => {
        orStopInvalid(checkSlug('slug', slug));
        await withGateway(async (running) => {
          const { gateway } = running;
          const id = gateway.newId();
          // What is refused is recorded with the organization that has the name.
          const actor = (await findOperatorIn(running, slug)) ?? operator(id, slug);
          const call = { actor, surface: 'cli', requestId: newRequestId() } as const;
          orStop(await perform(gateway, createOrganization, { id, slug }, call));
          print(json, { id, slug }, [
            `Organization ${slug} is made. A token that may do everything in it, for an hour:`,
            `  ${howToRun(`token --organization ${slug} --permissions organization:admin`)}`,
          ]);
        });
      }),
  );
