import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Demo } from '../db/demo.ts';

/** The processes of a measurement, on a database that is thrown away with them. */
export interface Processes {
  /** Fills the database with demo data, so many of each kind, and serves it. */
  gateway(count: number): Promise<{ readonly url: string; readonly demo: Demo }>;
  /** Starts a module of this folder, gives it what it needs, and waits for what it says. */
  start<T>(module: string, given: object): Promise<T>;
  /** Ends them all. */
  end(): void;
}

const root = resolve(import.meta.dirname, '..');

export function openProcesses(): Processes {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-bench-'));
  const children: ChildProcess[] = [];
  const env = {
    DATABASE_URL: `sqlite:${join(folder, 'gateway.db')}`,
    SECRET_KEY_FILE: join(folder, 'secret.key'),
    LOG_LEVEL: 'warn',
    PORT: '0',
  };

  function run(...args: string[]): ChildProcess {
    const child = spawn(process.execPath, [join(root, 'bin/gateway.mjs'), ...args], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    return child;
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

  return {
    async gateway(count) {
      const demo = JSON.parse(await said(run('demo', '--json', '--count', String(count)))) as Demo;
      const url = await said(run('serve'), /Revocation gateway at (http:\S+\d)/);
      // By name it would be asked for in two families.
      return { url: url.replace('localhost', '127.0.0.1'), demo };
    },
    async start<T>(module: string, given: object) {
      const child = fork(join(import.meta.dirname, module), [], { env: {} });
      children.push(child);
      const ended = once(child, 'exit').then(([code]) => {
        throw new Error(`${module} ended with ${code}`);
      });
      child.send(given);
      const [answer] = (await Promise.race([once(child, 'message'), ended])) as [T];
      ended.catch(() => undefined);
      return answer;
    },
    end() {
      for (const child of children) child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
