import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import ipaddr from 'ipaddr.js';
import { type Demo, fillDemo } from '../../db/demo.ts';
import { fixedSource, randomSource } from '../../db/demo-rows.ts';
import { readConfig } from '../config.ts';
import { findOrganization } from '../credentials/find.ts';
import type { Examples } from '../graphql/examples.ts';
import { GRAPHQL_PATH } from '../graphql/path.ts';
import { createServer } from '../server.ts';
import { newRequestId, type Running, start } from '../start.ts';
import { StartError } from '../start-error.ts';
import { wholeNumber } from './arguments.ts';
import { startReceiver } from './demo-receiver.ts';
import { withGateway } from './operator.ts';
import { listen, stopOnSignals } from './serve.ts';

const COUNT_MAX = 100_000;

export const demo = () =>
  new Command('demo')
    .description('serve demo data from a throwaway database; with --json fill a database instead')
    .option('--json', 'fill the database that DATABASE_URL names, print what is in it, and end')
    .addOption(
      new Option('--count <n>', 'how many of each kind')
        .argParser(wholeNumber(1, COUNT_MAX))
        .default(3),
    )
    .action(async ({ json, count }: { json?: boolean; count: number }) => {
      await (json ? fill(count) : serveDemo(Math.max(count, LEAST)));
    });

async function fill(count: number): Promise<void> {
  await withGateway(async (running) => {
    await refuseTwice(running);
    const source = randomSource(running.gateway.newId);
    const filled = await fillDemo(running, { count, source, environments: [] });
    process.stdout.write(`${JSON.stringify(filled)}\n`);
  });
}

async function refuseTwice({ gateway }: Running): Promise<void> {
  for (const slug of ['acme', 'globex']) {
    if ((await findOrganization(gateway.reader, slug)) === undefined) continue;
    throw new StartError(
      `The database has an organization ${slug} already: point DATABASE_URL to a new one.`,
    );
  }
}

/** One entry of each kind for the README's REST example, its mutation, and GraphiQL. */
const LEAST = 3;

async function serveDemo(count: number): Promise<void> {
  const settings = readConfig();
  const folder = await mkdtemp(join(tmpdir(), 'revocation-gateway-demo-'));
  // Until it serves, a signal ends it at once, and takes the folder along.
  const early = () => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(0);
  };
  process.once('SIGTERM', early).once('SIGINT', early);
  const config = {
    ...settings,
    databaseUrl: `sqlite:${join(folder, 'gateway.db')}`,
    secretKeyFile: join(folder, 'secret.key'),
    profile: 'development' as const,
    host: '127.0.0.1',
    outboundAllow: [ipaddr.parseCIDR('127.0.0.0/8')],
  };
  const running = await start({ ...config, logLevel: 'warn' });
  const receivers = await Promise.all(['production', 'staging'].map(startReceiver));
  const filled = await fillDemo(running, { count, source: fixedSource(), environments: receivers });
  const app = createServer({
    ...config,
    gateway: running.gateway,
    newRequestId,
    examples: examplesOf(filled),
  });
  const tidy = async () => {
    for (const receiver of receivers) await receiver.close();
    await rm(folder, { recursive: true });
  };
  try {
    const url = await listen(app, config);
    process.off('SIGTERM', early).off('SIGINT', early);
    stopOnSignals(app, running, tidy);
    process.stdout.write(`${banner(url, filled)}\n`);
  } catch (error) {
    await running.close();
    await tidy();
    throw error;
  }
}

/** Inputs for GraphiQL: of each kind the last entry, which the README leaves alone. */
function examplesOf(filled: Demo): Examples {
  const last = <T extends object>(entries: T[], ...fields: (keyof T)[]) => {
    const entry = entries.at(-1);
    return Object.fromEntries(fields.map((field) => [field, String(entry?.[field])]));
  };
  return {
    token: filled.callers.personalAccessToken,
    inputs: {
      revokeJwtAuth: last(filled.jwtAuth, 'identityId'),
      revokeToken: last(filled.accessToken, 'tokenId'),
      revokeApiKey: last(filled.apiKey, 'applicationId', 'keyId'),
      revokeServiceAccountToken: last(
        filled.serviceAccountToken,
        'serviceAccountSlug',
        'tokenSlug',
      ),
      unassignJwkValidation: last(filled.jwkValidation, 'projectName', 'username'),
    },
  };
}

function banner(url: string, { callers, apiKey, jwtAuth, jwkValidation }: Demo): string {
  const [key, auth, jwk] = [apiKey[0], jwtAuth[0], jwkValidation[0]];
  const curl = (method: string, path: string) =>
    `  curl -i -X ${method} ${url}${path} -H "Authorization: Bearer $TOKEN"`;
  return [
    `Revocation gateway with demo data at ${url}; it is thrown away when you stop it (Ctrl-C).`,
    '',
    `GraphiQL: ${url}${GRAPHQL_PATH}, with a working token and operations to start from.`,
    '',
    'To paste, first the token, which may do everything in the organization acme:',
    `  TOKEN=${callers.personalAccessToken}`,
    curl('DELETE', `/api/v1/applications/${key?.applicationId}/api-keys/${key?.keyId}`),
    curl('DELETE', `/api/v1/auth/jwt-auth/identities/${auth?.identityId}`),
    curl(
      'DELETE',
      `/apiops/projects/${jwk?.projectName}/credentials/${jwk?.username}/jwk/validation/`,
    ),
  ].join('\n');
}
