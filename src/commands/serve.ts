import { Command } from 'commander';
import type { FastifyInstance } from 'fastify';
import { type Config, readConfig } from '../config.ts';
import { GRAPHQL_PATH } from '../graphql/path.ts';
import { howToRun } from '../how-to-run.ts';
import { createObservability } from '../observability/observability.ts';
import { createServer } from '../server.ts';
import { newRequestId, type Running, start } from '../start.ts';
import { StartError } from '../start-error.ts';

export const serve = () =>
  new Command('serve').description('migrate, then serve').action(async () => {
    const config = readConfig();
    const observability = createObservability(config);
    const running = await start(config, { observe: observability.observe });
    const app = createServer({ ...config, gateway: running.gateway, newRequestId });
    try {
      const metricsUrl = await observability.listen(running.gateway);
      const url = await listen(app, config);
      stopOnSignals(app, running, async () => {
        // A collector that does not answer must not keep what has nothing left to do.
        if (!(await observability.close())) process.exit(0);
      });
      process.stdout.write(`${banner(url, metricsUrl, config)}\n`);
    } catch (error) {
      // What is open would keep the process from ending.
      await running.close();
      await observability.close();
      throw error;
    }
  });

function banner(url: string, metricsUrl: string | undefined, config: Config): string {
  const lines = [`Revocation gateway at ${url}`];
  if (config.profile === 'development') lines.push(`GraphiQL:    ${url}${GRAPHQL_PATH}`);
  if (metricsUrl !== undefined) lines.push(`Metrics:     ${metricsUrl}`);
  return [
    ...lines,
    `A tenant:    ${howToRun('organization create SLUG')}`,
    `A token:     ${howToRun('token --organization SLUG --permissions organization:admin')}`,
    `To try it:   ${howToRun('demo')}`,
  ].join('\n');
}

/** Listens, and says where. */
export async function listen(app: FastifyInstance, { host, port }: Config): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new StartError(
      code === 'EADDRINUSE'
        ? `Port ${port} of ${host} is in use: set PORT to another.`
        : `Cannot listen on port ${port} of ${host} (${code}): set HOST and PORT to others.`,
    );
  }
  const address = app.server.address();
  const actual = typeof address === 'object' && address !== null ? address.port : port;
  return `http://${host === '127.0.0.1' || host === '::1' ? 'localhost' : host}:${actual}`;
}

/** What is in flight by then is given up. */
const STOP_DEADLINE_MS = 30_000;

/** A signal to a whole group comes twice: once from its sender, once passed on by npm. */
const SAME_SIGNAL_MS = 1_000;

/** On SIGTERM or SIGINT (again: at once): takes no more requests, finishes those in flight, and ends with 0. */
export function stopOnSignals(
  app: FastifyInstance,
  running: Running,
  also: () => Promise<void> = async () => undefined,
): void {
  let stoppingSince: number | undefined;
  const stop = async () => {
    if (stoppingSince !== undefined) {
      if (performance.now() - stoppingSince > SAME_SIGNAL_MS) process.exit(1);
      return;
    }
    stoppingSince = performance.now();
    setTimeout(() => process.exit(1), STOP_DEADLINE_MS).unref();
    await app.close();
    await running.close();
    await also();
  };
  const onSignal = () => {
    stop().catch((error: unknown) => {
      running.gateway.log.error({ err: error }, 'did not stop cleanly');
      process.exit(1);
    });
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}
