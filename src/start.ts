import { customAlphabet } from 'nanoid';
import { type DestinationStream, type Logger, pino } from 'pino';
import type { Target } from '../db/tables.ts';
import { createAuthenticate } from './authenticate.ts';
import type { Config } from './config.ts';
import { type AnyCredential, credentials as allCredentials } from './credentials/kinds.ts';
import { type Database, type OpenOptions, openDatabase } from './database/database.ts';
import { migrate } from './database/migrate.ts';
import { createProbe } from './database/probe.ts';
import { startProblem } from './database/start-problem.ts';
import { createDelivery } from './delivery/deliver.ts';
import type { Gateway } from './gateway.ts';
import { createIds } from './ids.ts';
import { loadSecretKey, type SecretKey } from './keys/secret-key.ts';
import { openSigningKeys } from './keys/signing-keys.ts';
import { createLedgerTail } from './ledger-tail.ts';
import { diskOf } from './observability/disk.ts';
import type { Observe } from './observability/observability.ts';
import { createOutbound, urlProblem } from './outbound.ts';
import { isUnavailable } from './unavailable.ts';
import { createRemoteKeys } from './verify/remote-keys.ts';
import { createVerify } from './verify/verify.ts';
import { createWrites } from './writes.ts';

/** A gateway that is ready to be served, and what its owner needs to fill and close it. */
export interface Running {
  readonly gateway: Gateway;
  readonly database: Database;
  readonly secretKey: SecretKey;
  /** Lets work in hand finish, then closes the database. */
  close(): Promise<void>;
}

/** What tests and the demo choose for themselves. */
export interface StartOptions extends OpenOptions {
  readonly now?: () => number;
  readonly newId?: () => string;
  readonly credentials?: readonly AnyCredential[];
  /** Where log lines go; standard output unless said. */
  readonly logTo?: DestinationStream;
  /** Makes what is told of everything that happens. */
  readonly observe?: Observe;
}

/** A request id as Infisical writes them: `req-` and 14 letters and digits. */
export const newRequestId = (() => {
  const random = customAlphabet(
    '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
    14,
  );
  return () => `req-${random()}`;
})();

/** Opens and migrates the database, reads the keys, and puts the gateway together. */
export async function start(config: Config, options: StartOptions = {}): Promise<Running> {
  const log = pino({ level: config.logLevel }, options.logTo ?? pino.destination(1));
  const secretKey = loadSecretKey(config.secretKeyFile);
  const database = await openDatabase(config.databaseUrl, options);
  try {
    return await startOn(database, { config, options, log, secretKey });
  } catch (error) {
    await database.close().catch(() => undefined);
    throw isUnavailable(error) ? startProblem('The database cannot be used', error) : error;
  }
}

interface Parts {
  readonly config: Config;
  readonly options: StartOptions;
  readonly log: Logger;
  readonly secretKey: SecretKey;
}

async function startOn(database: Database, parts: Parts): Promise<Running> {
  const { config, options, log, secretKey } = parts;
  const ran = await migrate(database);
  if (ran.length > 0) log.info({ migrations: ran }, 'migrated');

  const { reader } = database;
  const { metrics, traces } = (await options.observe?.(log)) ?? {};
  const writes = createWrites(database, metrics);
  const now = options.now ?? (() => Date.now());
  const probe = createProbe(writes);
  await probe().catch((error: unknown) => {
    throw startProblem('The database cannot be written to', error);
  });
  const signingKeys = await openSigningKeys({ reader, writes, secretKey, now, log });
  const outbound = createOutbound(config.outboundAllow);
  const remoteKeys = createRemoteKeys(outbound);
  const shared = {
    ...{ reader, writes, now, log, secretKey, signingKeys, outbound, remoteKeys },
    ...{ metrics, traces },
  };
  const { publicUrl, trustedIssuers } = config;
  const newId = options.newId ?? createIds();
  const tail = createLedgerTail(reader);
  const announce = (owed: readonly Target[]) => {
    tail.nudge();
    delivery.wake(owed);
  };
  const verify = createVerify({ ...shared, newId, announce, publicUrl, trustedIssuers });
  const { effectBoundMs } = config;
  const delivery = createDelivery({ ...shared, newId, announce, effectBoundMs });
  const gateway: Gateway = {
    ...{ newId, tail, announce, delivery, claim: delivery.claim, effectBoundMs },
    ...{ metrics, traces, probe, diskFree: diskOf(config.databaseUrl) },
    ...{ reader, writes, now, log, signingKeys, secretKey, publicUrl },
    ...{ outbound, remoteKeys, verify },
    trustedIssuers: trustedIssuers.map(({ issuer }) => issuer),
    fingerprint: secretKey.fingerprint,
    urlProblem: (url, purpose) =>
      urlProblem(url, {
        allow: config.outboundAllow,
        https: purpose !== 'messages' && config.profile === 'production',
      }),
    authenticate: createAuthenticate(verify),
    credentials: options.credentials ?? allCredentials,
  };
  const close = async () => {
    tail.close();
    await delivery.stop();
    await writes.drained();
    await database.close();
  };
  return { gateway, database, secretKey, close };
}
