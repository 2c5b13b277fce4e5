import { once } from 'node:events';
import { copyFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { fillKeys, type Organization } from './fill.ts';
import type { FillGiven } from './fill-worker.ts';
import type { Processes } from './processes.ts';
import { keysOfRows } from './rows.ts';

/** What callers of a filled database present: all of it made by the gateway's own commands. */
export interface Callers {
  readonly organization: Organization;
  /** A JWT of a caller that may do everything. */
  readonly admin: string;
  readonly client: { readonly clientId: string; readonly clientSecret: string };
}

/** A database as the gateway makes it, and copies of it with more rows. */
export interface Template extends Callers {
  readonly secretKeyFile: string;
  /** The file with nothing but the callers. */
  readonly bare: string;
  /** A file with so many API keys; made once. */
  withKeys(count: number): string;
  /** A new file with so many rows, which whoever asks may write to. It is made beside everything else. */
  withRows(count: number): Promise<string>;
  /** Where a file of a name is. */
  path(name: string): string;
  /** Gives a file another name, where nobody else needs it. */
  move(file: string, name: string): string;
  /** A copy of a file for one contestant to write to. */
  copy(file: string, name: string): string;
}

export async function makeTemplate(processes: Processes): Promise<Template> {
  const bare = join(processes.folder, 'bare.db');
  const make = async (...args: string[]) =>
    JSON.parse(await processes.command(bare, ...args, '--json'));
  const organization: Organization = await make('organization', 'create', 'bench');
  const may = ['--organization', 'bench', '--permissions'];
  const { token } = await make('token', ...may, 'organization:admin', '--ttl', '30d');
  const client = await make('client', 'create', 'bench', ...may, 'credential:introspect');

  const made = new Map<number, string>();
  const path = (name: string) => join(processes.folder, `${name}.db`);
  const copy = (file: string, name: string) => {
    const to = path(name);
    copyFileSync(file, to);
    return to;
  };
  const move = (file: string, name: string) => {
    renameSync(file, path(name));
    return path(name);
  };
  return {
    ...{ organization, admin: token, client, bare, copy, move, path },
    secretKeyFile: processes.secretKeyFile,
    withKeys(count) {
      const there = made.get(count);
      if (there !== undefined) return there;
      // What is there already need not be made again.
      const from = Math.max(0, ...[...made.keys()].filter((fewer) => fewer < count));
      const file = copy(made.get(from) ?? bare, `keys-${count}`);
      fillKeys(file, organization, from, count);
      made.set(count, file);
      return file;
    },
    async withRows(count) {
      const file = copy(bare, `rows-${count}`);
      const given: FillGiven = { file, organization, from: 0, to: keysOfRows(count) };
      const worker = new Worker(join(import.meta.dirname, 'fill-worker.ts'), { workerData: given });
      await once(worker, 'exit');
      return file;
    },
  };
}
