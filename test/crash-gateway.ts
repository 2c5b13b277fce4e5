import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Demo } from '../db/demo.ts';

/** A gateway in a process of its own, as an operator runs it. */
export interface Gateway {
  readonly url: string;
  /** Whether it has ended by itself. */
  readonly ended: boolean;
  kill9(): Promise<void>;
  /** Another one on the same database. */
  again(): Promise<Gateway>;
}

const bin = resolve(import.meta.dirname, '../bin/gateway.mjs');

/** Runs a command of the gateway on this database; what it prints comes bit by bit. */
function run(databaseUrl: string, folder: string, ...args: string[]) {
  const env = {
    ...{ PATH: process.env.PATH ?? '', TMPDIR: tmpdir(), PORT: '0', LOG_LEVEL: 'silent' },
    ...{ DATABASE_URL: databaseUrl, SECRET_KEY_FILE: join(folder, 'secret.key') },
  };
  const child = spawn(process.execPath, [bin, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const killAtExit = () => child.kill('SIGKILL');
  process.once('exit', killAtExit);
  child.once('close', () => process.off('exit', killAtExit));
  child.stdout.setEncoding('utf8');
  return child;
}

/** Fills an empty database with demo data, so many of each kind. */
export async function fill(databaseUrl: string, folder: string, count: number): Promise<Demo> {
  const child = run(databaseUrl, folder, 'demo', '--json', '--count', String(count));
  let said = '';
  for await (const chunk of child.stdout) said += chunk;
  return JSON.parse(said) as Demo;
}

/** Serves a database. */
export async function serve(databaseUrl: string, folder: string): Promise<Gateway> {
  const child = run(databaseUrl, folder, 'serve');
  const closed = once(child, 'close');
  let said = '';
  const url = await new Promise<string>((found, failed) => {
    child.stdout.on('data', (chunk: string) => {
      said += chunk;
      const at = /Revocation gateway at http:\/\/localhost(:\d+)/.exec(said)?.[1];
      if (at !== undefined) found(`http://127.0.0.1${at}`);
    });
    child.once('close', () => failed(new Error(`The gateway does not start: ${said}`)));
  });
  return {
    url,
    get ended() {
      return child.exitCode !== null || child.signalCode !== null;
    },
    async kill9() {
      child.kill('SIGKILL');
      await closed;
    },
    again: () => serve(databaseUrl, folder),
  };
}
