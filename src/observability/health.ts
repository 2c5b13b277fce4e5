import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { PROBE_KEPT_MS } from '../database/probe.ts';
import type { Gateway } from '../gateway.ts';
import { kept } from '../kept.ts';
import { logOf } from '../request-log.ts';
import { gatewayAnswers } from '../rest/dialects/gateway.ts';
import { mountOtherMethods } from '../rest/mount.ts';
import { isUnavailable, logUnavailable, RETRY_AFTER_S } from '../unavailable.ts';
import { DISK_FREE_BYTES_MIN } from './disk.ts';
import { oldestOwed } from './outbox.ts';

/** `degraded`: it works, and somebody should look. `unknown`: it cannot be told for now. */
type Check = 'ok' | 'degraded' | 'unavailable' | 'unknown';

/** What of a gateway its health is. */
export type Watched = Pick<Gateway, 'reader' | 'probe' | 'now' | 'effectBoundMs' | 'diskFree'>;

/**
 * Mounts what load balancers ask, of anybody: whether the process answers, and whether the gateway can do
 * its work. Only a database that cannot be read or written makes it 503: whoever takes a gateway out of
 * use for anything else would take away the revocations that it can still do.
 */
export function mountHealth(app: FastifyInstance, gateway: Watched): void {
  const { reader, probe } = gateway;
  const read = kept(PROBE_KEPT_MS, () =>
    reader.selectFrom('signing_keys').select('kid').limit(1).execute(),
  );
  const oldest = kept(PROBE_KEPT_MS, () => oldestOwed(reader));

  app.get('/health/live', async () => ({ status: 'ok' }));
  app.get('/health/ready', async (request, reply) => {
    const database = await checkDatabase(async () => {
      await read();
      // A database that cannot be written to revokes nothing.
      await probe();
    }, logOf(request));
    const [outbox, disk] = await Promise.all([
      database === 'ok' ? checkOutbox(gateway, oldest) : 'unknown',
      checkDisk(gateway),
    ]);
    const checks = { database, outbox, ...(disk && { disk }) };
    if (database === 'unavailable') {
      reply.code(503).header('retry-after', String(RETRY_AFTER_S));
      return { status: database, checks };
    }
    const well = outbox === 'ok' && (disk ?? 'ok') === 'ok';
    return { status: well ? 'ok' : 'degraded', checks };
  });
  for (const path of ['/health/live', '/health/ready']) {
    mountOtherMethods(app, path, ['GET', 'HEAD'], gatewayAnswers);
  }
}

async function checkDatabase(
  use: () => Promise<void>,
  log: FastifyBaseLogger,
): Promise<'ok' | 'unavailable'> {
  try {
    await use();
    return 'ok';
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    logUnavailable(log, error);
    return 'unavailable';
  }
}

/** Whether a target is behind the published bound. */
async function checkOutbox(
  { now, effectBoundMs }: Watched,
  oldest: () => Promise<number | undefined>,
): Promise<Check> {
  const atMs = await oldest().catch(() => 'unknown' as const);
  if (atMs === 'unknown') return 'unknown';
  return atMs !== undefined && now() - atMs > effectBoundMs ? 'degraded' : 'ok';
}

/** Undefined where the disk is not the gateway's own. */
async function checkDisk({ diskFree }: Watched): Promise<Check | undefined> {
  if (diskFree === undefined) return undefined;
  const free = await diskFree().catch(() => undefined);
  if (free === undefined) return 'unknown';
  return free < DISK_FREE_BYTES_MIN ? 'degraded' : 'ok';
}
