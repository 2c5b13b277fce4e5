import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';

/** The demo as a user starts it, in a process of its own. */
export interface RunningDemo {
  /** Where GraphiQL is, as the demo itself says. */
  readonly url: string;
  /** The token that it prints. */
  readonly token: string;
  /** Stops it, and gives its exit code. */
  stop(): Promise<number | null>;
}

const gateway = fileURLToPath(new URL('../../bin/gateway.mjs', import.meta.url));

export async function startDemo(): Promise<RunningDemo> {
  const child = spawn(process.execPath, [gateway, 'demo'], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = await saidBy(child, /^GraphiQL: (?<url>http:\S+?),.*^ *TOKEN=(?<token>\S+)$/ms);
  return {
    url: said.url ?? '',
    token: said.token ?? '',
    stop: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      const [code] = (await exited) as [number | null];
      return code;
    },
  };
}

/** Waits until a process has printed something. */
function saidBy(child: ChildProcess, pattern: RegExp): Promise<Record<string, string | undefined>> {
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const match = pattern.exec(output);
      if (match?.groups) resolve(match.groups);
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      reject(new Error(`The demo ended with ${code} before it was ready; it said: ${output}`));
    });
  });
}

const CHROMIUM = '/usr/bin/chromium';

/** Starts Debian's Chromium, which looks for nothing in the network by itself. */
export async function startBrowser(): Promise<Browser> {
  if (!existsSync(CHROMIUM)) {
    throw new Error(
      `There is no ${CHROMIUM}: install it with "apt-get update && apt-get install -y chromium".`,
    );
  }
  return await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
}
