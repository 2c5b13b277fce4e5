import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Demo, fillDemo } from '../db/demo.ts';
import { randomSource } from '../db/demo-rows.ts';
import { readConfig } from '../src/config.ts';
import { start } from '../src/start.ts';
import { addTokens } from './many.ts';
import {
  type Ended,
  newFolder,
  root,
  type Served,
  type Settings,
  serve,
  settingsIn,
} from './processes.ts';

/** The commands that speak to a gateway, in processes of their own. */

const bin = join(root, 'bin/gateway.mjs');

/** A command that runs. */
export interface Running {
  readonly output: { readonly stdout: string; readonly stderr: string };
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Reads no more of what it prints. */
  readonly stopReading: () => void;
  readonly ended: Promise<Ended>;
}

export interface Given {
  /** What it is given on standard input. */
  readonly input?: string;
  /** Beside the address and the token. */
  readonly env?: Settings;
}

/** Starts a command at a terminal that has only this environment; it is killed when the test ends. */
export function launchCommand(env: Settings, args: readonly string[], input = ''): Running {
  const child = spawn(process.execPath, [bin, ...args], { env, cwd: root });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (chunk: string) => {
      output[stream] += chunk;
    });
  }
  // Not every command reads what it is given.
  child.stdin.on('error', () => undefined).end(input);
  const ended = new Promise<Ended>((done, failed) => {
    child.once('error', failed);
    child.once('close', (code, signal) => done({ code, signal, ...output }));
  });
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  });
  return {
    ...{ output, ended },
    kill: (signal) => void child.kill(signal),
    stopReading: () => void child.stdout.destroy(),
  };
}

/** What whoever sits at the terminal has in the environment. */
export const terminalEnv = (url: string, token: string): Settings => ({
  PATH: process.env.PATH ?? '',
  GATEWAY_URL: url,
  GATEWAY_TOKEN: token,
});

/** A gateway that serves demo data in a process of its own, and a terminal. */
export interface Terminal {
  readonly served: Served;
  readonly url: string;
  readonly folder: string;
  readonly demo: Demo;
  /** Personal access tokens that nobody has. */
  readonly ids: readonly string[];
  readonly env: Settings;
  /** Runs a command to its end. */
  run(args: readonly string[], given?: Given): Promise<Ended>;
  launch(args: readonly string[], given?: Given): Running;
  /** Serves again at the same address, once it serves no more. */
  serveAgain(): Promise<Served>;
}

export async function openTerminal({ tokens = 0, settings = {} as Settings } = {}) {
  const folder = newFolder();
  const all = { ...settingsIn(folder), LOG_LEVEL: 'warn', ...settings };
  const running = await start(readConfig({ ...all, LOG_LEVEL: 'silent' }));
  const source = randomSource(running.gateway.newId);
  const demo = await fillDemo(running, { count: 3, source, environments: [] });
  const ids = await addTokens(running, tokens);
  await running.close();
  const served = await serve(all);
  const env = terminalEnv(served.url, demo.callers.admin);
  const launch: Terminal['launch'] = (args, given = {}) =>
    launchCommand({ ...env, ...given.env }, args, given.input);
  return {
    ...{ served, url: served.url, folder, demo, ids, env, launch },
    run: (args, given) => launch(args, given).ended,
    serveAgain: () => serve({ ...all, PORT: new URL(served.url).port }),
  } satisfies Terminal as Terminal;
}

/** The rows of a table that was printed, without its headings, cell by cell. */
export const tableOf = (stdout: string): string[][] =>
  stdout
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(/ {2,}/));

/** The lines of JSON that were printed. */
export const jsonOf = <T = Record<string, unknown>>(stdout: string): T[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
