import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { databaseIn, emptyDatabaseIn } from './engine.ts';

/** The command line in processes of its own, as an operator runs it. */

export const root = resolve(import.meta.dirname, '..');
const bin = join(root, 'bin/gateway.mjs');

export type Settings = Record<string, string>;

/** What a process left behind. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process that serves. */
export interface Served {
  /** Where it says that it is reached. */
  readonly url: string;
  readonly pid: number;
  readonly output: () => string;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly ended: Promise<Ended>;
}

/** A folder for as long as a test runs. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-process-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Settings of a gateway whose files all lie in this folder. Nothing else is passed on but these. */
export const settingsIn = (folder: string, database = databaseIn(folder)): Settings => ({
  PATH: process.env.PATH ?? '',
  HOME: process.env.HOME ?? tmpdir(),
  TMPDIR: tmpdir(),
  DATABASE_URL: database,
  SECRET_KEY_FILE: join(folder, 'secret.key'),
  PORT: '0',
});

/** The same, before anything has been made. */
export const emptySettingsIn = (folder: string): Settings =>
  settingsIn(folder, emptyDatabaseIn(folder));

/** Starts a program; it is killed when the test ends, if it runs then. */
export function launch(program: string, args: readonly string[], env: Settings, cwd = root) {
  const child = spawn(program, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (chunk: string) => {
      output[stream] += chunk;
    });
  }
  const ended = new Promise<Ended>((done, failed) => {
    child.once('error', failed);
    child.once('close', (code, signal) => done({ code, signal, ...output }));
  });
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended.catch(() => undefined);
  });
  return { child, output, ended };
}

/** Runs `gateway` to its end. */
export const gateway = (env: Settings, ...args: readonly string[]): Promise<Ended> =>
  launch(process.execPath, [bin, ...args], env).ended;

/** Runs `gateway`, which must succeed, and reads the JSON that it prints. */
export async function gatewayJson<T>(env: Settings, ...args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await gateway(env, ...args, '--json');
  if (code !== 0) throw new Error(`gateway ${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

/** Starts `gateway serve` or `gateway demo`, and waits until it says that it listens. */
export async function serve(env: Settings, command = 'serve'): Promise<Served> {
  const { child, output, ended } = launch(process.execPath, [bin, command], env);
  const url = await said(child, () => /Revocation gateway .*(http:\S+\d)/.exec(output.stdout)?.[1]);
  if (url === undefined) throw new Error(`gateway ${command} ended: ${(await ended).stderr}`);
  return {
    ...{ url, pid: child.pid ?? 0, ended },
    output: () => output.stdout,
    kill: (signal) => void child.kill(signal),
  };
}

/** What is found in what a process says, as soon as it is; undefined where it ends before. */
function said(child: ChildProcess, find: () => string | undefined): Promise<string | undefined> {
  return new Promise((done) => {
    child.stdout?.on('data', () => {
      const found = find();
      if (found !== undefined) done(found);
    });
    child.once('close', () => done(find()));
  });
}
