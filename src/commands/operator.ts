import { userInfo } from 'node:os';
import type { Actor } from '../actor.ts';
import { readConfig } from '../config.ts';
import { findOrganization } from '../credentials/find.ts';
import { InvalidInput, type Refusal } from '../refusals.ts';
import { type Running, start } from '../start.ts';
import { StartError } from '../start-error.ts';

/** Opens the gateway for one command and closes it behind it; nothing listens. */
export async function withGateway(work: (running: Running) => Promise<void>): Promise<void> {
  const config = readConfig();
  const running = await start({ ...config, logLevel: 'error' });
  try {
    await work(running);
  } finally {
    await running.close();
  }
}

/** Whoever is at the command line, as the ledger names them. */
export const operatorName = (): string => `operator ${userInfo().username}`;

/** Whoever is at the command line: may do everything in the organization, and is named in the ledger. */
export function operator(organizationId: string, organizationSlug: string): Actor {
  return {
    credentialId: null,
    name: operatorName(),
    organizationId,
    organizationSlug,
    permissions: ['organization:admin'],
  };
}

/** The operator in the organization that has this name; undefined where none has. */
export async function findOperatorIn(
  { gateway }: Running,
  slug: string,
): Promise<Actor | undefined> {
  const row = await findOrganization(gateway.reader, slug);
  return row === undefined ? undefined : operator(row.id, slug);
}

/** The operator in an organization that is there. */
export async function operatorIn(running: Running, slug: string): Promise<Actor> {
  const actor = await findOperatorIn(running, slug);
  if (actor === undefined) {
    throw new StartError(
      `There is no organization ${slug}: make it with "gateway organization create ${slug}".`,
    );
  }
  return actor;
}

/** Ends the command where something was refused. */
export function orStop<T extends object>(performed: T | { refused: Refusal }): T {
  if ('refused' in performed) throw refusedError(performed.refused);
  return performed as T;
}

/** Ends the command where the input is not valid. */
export function orStopInvalid(invalid: InvalidInput | undefined): void {
  if (invalid !== undefined) throw refusedError(invalid);
}

function refusedError(refusal: Refusal): StartError {
  const issues = refusal instanceof InvalidInput ? refusal.issues : [];
  return new StartError(
    [refusal.message, ...issues.map(({ path, message }) => `${path}: ${message}`)].join('\n  '),
  );
}
