import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** The network between a gateway and its PostgreSQL, which a test has misbehave. */
export interface TcpProxy {
  readonly port: number;
  /** Leads every new connection to another port. */
  leadTo(port: number): void;
  /** Breaks every connection; new ones go through. */
  drop(): void;
  /** Breaks every connection and takes none. */
  cut(): Promise<void>;
  /** Takes connections again. */
  restore(): Promise<void>;
  /** Keeps every connection, takes new ones, and lets nothing through until it thaws. */
  freeze(): void;
  thaw(): void;
  /**
   * Once, breaks the connection over which these bytes come from the gateway: before the server has them,
   * or when it answers.
   */
  breakAt(bytes: string, when: 'before' | 'answer'): Promise<void>;
}

interface Break {
  readonly bytes: string;
  readonly when: 'before' | 'answer';
  readonly done: () => void;
}

/** Stands before a server for as long as a test runs. */
export async function tcpProxyTo(target: number): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let to = target;
  let frozen = false;
  let breaking: Break | undefined;

  function take(inner: Socket): void {
    const outer = connect(to, '127.0.0.1');
    const pair = [inner, outer] as const;
    const end = () => {
      pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    };
    let broken: Break | undefined;
    pairs.add(pair);
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on('error', end).on('close', end);
      if (frozen) socket.pause();
    }
    inner.on('data', (chunk: Buffer) => {
      if (breaking !== undefined && chunk.includes(breaking.bytes)) {
        broken = breaking;
        breaking = undefined;
        if (broken.when === 'before') {
          broken.done();
          return end();
        }
      }
      outer.write(chunk);
    });
    outer.on('data', (chunk: Buffer) => {
      if (broken === undefined) return void inner.write(chunk);
      broken.done();
      end();
    });
    if (frozen) for (const socket of pair) socket.pause();
  }

  let server = createServer(take);
  const listen = (at: number) =>
    new Promise<void>((done, failed) => {
      server.once('error', failed).listen(at, '127.0.0.1', done);
    });
  await listen(0);
  const { port } = server.address() as { port: number };

  function drop(): void {
    for (const [inner, outer] of pairs) {
      inner.destroy();
      outer.destroy();
    }
  }

  async function cut(): Promise<void> {
    if (!server.listening) return;
    const closed = new Promise((done) => server.close(done));
    drop();
    await closed;
  }
  onTestFinished(cut);

  return {
    port,
    leadTo(other) {
      to = other;
    },
    drop,
    cut,
    async restore() {
      server = createServer(take);
      await listen(port);
    },
    freeze() {
      frozen = true;
      for (const pair of pairs) for (const socket of pair) socket.pause();
    },
    thaw() {
      frozen = false;
      for (const pair of pairs) for (const socket of pair) socket.resume();
    },
    breakAt: (bytes, when) =>
      new Promise((done) => {
        breaking = { bytes, when, done };
      }),
  };
}
