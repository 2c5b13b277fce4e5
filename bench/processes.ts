import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Demo } from '../db/demo.ts';

/** The processes of a measurement, and the folder of their databases, which is thrown away with them. */
export interface Processes {
  readonly folder: string;
  readonly secretKeyFile: string;
  /** Fills the database with demo data, so many of each kind, and serves it. */
  gateway(count: number): Promise<{ readonly url: string; readonly demo: Demo }>;
  /** Runs a command of the gateway on a database, and gives what it prints. */
  command(database: string, ...args: string[]): Promise<string>;
  /** Serves a database as a user would. */
  serve(database: string, options?: ServeOptions): Promise<Serving>;
  /** Starts a module of this folder, gives it what it needs, and waits for what it says. */
  start<T>(module: string, given: object, options?: StartOptions): Promise<T>;
  /** The same, for who must know of the process. */
  launch<T>(module: string, given: object, options?: StartOptions): Promise<Launched<T>>;
  /** Starts them, and waits for nothing. */
  spawnGateway(database: string, options?: ServeOptions): ChildProcess;
  spawnModule(module: string, given: object, options?: StartOptions): ChildProcess;
  /** Ends one of them. */
  stop(child: ChildProcess): Promise<void>;
  /** Ends them all. */
  end(): void;
}

export interface StartOptions {
  /** Loaded before everything else. */
  readonly hook?: string | undefined;
}

export interface ServeOptions extends StartOptions {
  readonly port?: number;
  readonly logLevel?: string;
  /** Flags of Node itself. */
  readonly flags?: readonly string[];
}

export interface Launched<T> {
  readonly child: ChildProcess;
  readonly said: T;
}

export interface Serving {
  readonly child: ChildProcess;
  readonly port: number;
}

const root = resolve(import.meta.dirname, '..');
const bin = join(root, 'bin/gateway.mjs');
/** As `npm start` has it: what a young generation may grow to is memory that never shrinks. */
const tuning = '--max-semi-space-size=8';

export function openProcesses(): Processes {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-bench-'));
  const children = new Set<ChildProcess>();
  const secretKeyFile = join(folder, 'secret.key');
  const settings = {
    SECRET_KEY_FILE: secretKeyFile,
    LOG_LEVEL: 'warn',
    PORT: '0',
    // The ports differ, and the issuer of the tokens must not.
    PUBLIC_URL: 'http://localhost:8080',
    PROFILE: 'production',
    // They count, and are never reached.
    RATE_LIMITS: 'address=100000000,caller=100000000,introspection=100000000',
  };

  function keep(child: ChildProcess): ChildProcess {
    children.add(child);
    child.once('close', () => children.delete(child));
    return child;
  }

  function run(database: string, args: string[], more: ServeOptions = {}): ChildProcess {
    const flags = [tuning, ...(more.flags ?? []), ...(more.hook ? ['--import', more.hook] : [])];
    const env = {
      ...{ ...settings, DATABASE_URL: `sqlite:${database}` },
      ...(more.port !== undefined && { PORT: String(more.port) }),
      ...(more.logLevel !== undefined && { LOG_LEVEL: more.logLevel }),
    };
    return keep(
      spawn(process.execPath, [...flags, bin, ...args], {
        env,
        stdio: ['ignore', 'pipe', 'inherit', ...(more.hook ? ['ipc' as const] : [])],
      }),
    );
  }

  /** All that a process says, or what is found in it as soon as it is. */
  function said(child: ChildProcess, pattern?: RegExp): Promise<string> {
    return new Promise((done, failed) => {
      let text = '';
      child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        const found = pattern?.exec(text)?.[1];
        if (found !== undefined) done(found);
      });
      child.once('close', (code) =>
        code === 0 ? done(text) : failed(new Error(`A process ended with ${code}`)),
      );
    });
  }

  function spawnModule(module: string, given: object, { hook }: StartOptions = {}): ChildProcess {
    const execArgv = hook === undefined ? [] : ['--import', hook];
    const env = { NODE_ENV: 'production' };
    const child = keep(fork(join(import.meta.dirname, module), [], { env, execArgv }));
    child.send(given);
    return child;
  }

  async function launch<T>(module: string, given: object, options?: StartOptions) {
    const child = spawnModule(module, given, options);
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`${module} ended with ${code}`);
    });
    const [answer] = (await Promise.race([once(child, 'message'), ended])) as [T];
    ended.catch(() => undefined);
    return { child, said: answer };
  }

  const listening = /Revocation gateway at (http:\S+\d)/;

  return {
    folder,
    secretKeyFile,
    launch,
    spawnModule,
    spawnGateway: (database, options) => run(database, ['serve'], options),
    async gateway(count) {
      const database = join(folder, 'gateway.db');
      const demo = JSON.parse(
        await said(run(database, ['demo', '--json', '--count', String(count)])),
      ) as Demo;
      const url = await said(run(database, ['serve']), listening);
      // By name it would be asked for in two families.
      return { url: url.replace('localhost', '127.0.0.1'), demo };
    },
    command: (database, ...args) => said(run(database, args)),
    async serve(database, options) {
      const child = run(database, ['serve'], options);
      return { child, port: Number(new URL(await said(child, listening)).port) };
    },
    start: async <T>(module: string, given: object, options?: StartOptions) =>
      (await launch<T>(module, given, options)).said,
    async stop(child) {
      if (!children.has(child)) return;
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    },
    end() {
      for (const child of children) child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
