import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Config, readConfig } from '../src/config.ts';
import {
  AddressRefused,
  createOutbound,
  EncodingRefused,
  mayReach,
  RESPONSE_BYTES_MAX,
} from '../src/outbound.ts';
import { listen } from './loopback.ts';

/** Requests to addresses that somebody else chose: real servers, and the guard between. */

const allowing = (text: string): Config['outboundAllow'] =>
  readConfig({ OUTBOUND_ALLOW: text }).outboundAllow;

const thisMachine = '127.0.0.0/8, 0.0.0.0/8';

const echo = () => listen((response) => response.end('reached'));

/** Every way to write an address of this machine that a URL knows; all reach a server on 127.0.0.1. */
const spellings = [
  ...['127.0.0.1', '127.1', '127.0.1', '2130706433', '017700000001', '0x7f000001', '0x7f.0.0.1'],
  ...['0177.0.0.1', '0177.0x0.0.01', '127.0.0.1.', '１２７.0.0.1', '127%2e0.0.1', '0', '0.0.0.0'],
  ...['[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[0:0:0:0:0:ffff:7f00:0001]'],
  ...['localhost', 'LOCALHOST', 'loc%61lhost', 'LOCALHO\u017fT'],
];

/** Addresses that lead inside. */
const inside = [
  ...['10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1', '100.64.0.1'],
  ...['169.254.169.254', '192.0.0.1', '198.18.0.1', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
  ...['127.255.255.254', '::1', '0:0:0:0:0:0:0:1', '::', '::ffff:0.0.0.0', '::127.0.0.1'],
  ...['fd00::1', 'fc00::1', 'fd00:ec2::254', 'fe80::1', 'fec0::1', 'ff02::1', '100::1'],
  ...['::ffff:10.0.0.1', '::ffff:169.254.169.254', '::10.0.0.1', '::ffff:0:10.0.0.1'],
  ...['64:ff9b::10.0.0.1', '64:ff9b:1::a00:1', '2002:a00:1::', '2001:0:a00:1::'],
];

const outside = ['8.8.8.8', '172.15.255.255', '172.32.0.1', '169.253.0.1', '2606:2800:220:1::1946'];

const inUrl = (address: string) => (address.includes(':') ? `[${address}]` : address);

describe('an address of this machine', () => {
  test.each(spellings)('is refused however it is written: %s', async (host) => {
    const server = await echo();
    const url = `http://${host}:${server.port}/`;
    await expect(createOutbound([])(url)).rejects.toBeInstanceOf(AddressRefused);
    expect(server.received).toEqual([]);

    // The same URL reaches the server where it is allowed: only the guard was in the way.
    const response = await createOutbound(allowing(thisMachine))(url);
    expect(await response.text()).toBe('reached');
    expect(server.received).toHaveLength(1);
  });

  test('is reached in the allowed ranges only, not in their neighbours', async () => {
    const server = await echo();
    const outbound = createOutbound(allowing('127.0.0.1/32'));
    expect((await outbound(`http://127.0.0.1:${server.port}/`)).status).toBe(200);
    await expect(outbound(`http://127.0.0.2:${server.port}/`)).rejects.toThrow(
      'Its address is not public and not in OUTBOUND_ALLOW',
    );
    await expect(outbound(`http://[::1]:${server.port}/`)).rejects.toBeInstanceOf(AddressRefused);
    expect(server.received).toHaveLength(1);
  });
});

describe('an address inside', () => {
  test.each(inside)('is refused unless it is allowed: %s', async (address) => {
    const refused = createOutbound([])(`http://${inUrl(address)}/`);
    await expect(refused).rejects.toBeInstanceOf(AddressRefused);
    expect(mayReach(address, [])).toBe(false);
    expect(mayReach(address, allowing('0.0.0.0/0, ::/0'))).toBe(true);
  });

  test.each(outside)('is told from a public one: %s', (address) => {
    expect(mayReach(address, [])).toBe(true);
  });
});

describe('a name', () => {
  /** Answers for names, in turn; the last one stays. */
  function resolveTo(...answers: string[][]) {
    const real = dns.lookup;
    let asked = 0;
    type Callback = (error: null, addresses: { address: string; family: number }[]) => void;
    const answering = (_name: string, _options: unknown, callback: Callback) => {
      const answer = answers[Math.min(asked++, answers.length - 1)] ?? [];
      callback(
        null,
        answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    };
    dns.lookup = answering as unknown as typeof dns.lookup;
    syncBuiltinESMExports();
    onTestFinished(() => {
      dns.lookup = real;
      syncBuiltinESMExports();
    });
    return { asked: () => asked };
  }

  test('is asked for once, and the connection goes to the address that was checked', async () => {
    const checked = await listen((response) => {
      response.setHeader('connection', 'close').end('the checked one');
    });
    const { port } = checked;
    const names = resolveTo(['127.0.0.1'], ['10.0.0.1']);
    const outbound = createOutbound(allowing('127.0.0.1/32'));

    const response = await outbound(`http://rebinding.example:${port}/`);
    expect(await response.text()).toBe('the checked one');
    expect(names.asked()).toBe(1);
    expect(checked.received[0]?.headers.host).toBe(`rebinding.example:${port}`);

    // A new connection asks anew, and is checked anew.
    const again = outbound(`http://rebinding.example:${port}/`);
    await expect(again).rejects.toBeInstanceOf(AddressRefused);
    expect(names.asked()).toBe(2);
  });

  test.each([
    ['an address inside', ['10.0.0.1']],
    ['one allowed address and one that is not', ['127.0.0.1', '127.0.0.2']],
    ['an allowed address and a mapped one', ['127.0.0.1', '::ffff:10.0.0.1']],
    ['nothing', []],
  ])('that stands for %s is refused', async (_what, addresses) => {
    const server = await echo();
    resolveTo(addresses);
    const refused = createOutbound(allowing('127.0.0.1'))(`http://name.example:${server.port}/`);
    await expect(refused).rejects.toBeInstanceOf(AddressRefused);
    expect(server.received).toEqual([]);
  });
});

describe('a request', () => {
  test.each([301, 302, 303, 307, 308])('does not follow a redirect: %i', async (status) => {
    const inner = await echo();
    const outer = await listen((response) => {
      response.writeHead(status, { location: `http://127.0.0.1:${inner.port}/` }).end();
    });
    const outbound = createOutbound(allowing(thisMachine));
    const response = await outbound(outer.url, { method: 'POST', body: 'secret' });
    expect(response.status).toBe(status);
    expect(outer.received).toMatchObject([{ method: 'POST', body: 'secret' }]);
    expect(inner.received).toEqual([]);
  });

  test.each([
    ...['file:///etc/passwd', 'ftp://127.0.0.1/', 'data:text/plain,hello', 'gopher://127.0.0.1/'],
    ...['javascript:1', 'blob:http://127.0.0.1/0', 'ws://127.0.0.1/', 'unix:/var/run/docker.sock'],
  ])('is for http and https alone: %s', async (url) => {
    const outbound = createOutbound(allowing('0.0.0.0/0, ::/0'));
    await expect(outbound(url)).rejects.toThrow('Only http and https are allowed');
  });

  test.each([
    ['user:password@127.0.0.1', 'a user and a password'],
    ['192.0.2.1:80@127.0.0.1', 'userinfo that looks like another host'],
    ['192.0.2.1%40127.0.0.1', 'an escaped @'],
    ['192.0.2.1\\@127.0.0.1', 'a backslash before the @'],
    ['192.0.2.1#@127.0.0.1', 'a fragment before the @'],
  ])('to %s reaches nothing: %s', async (authority) => {
    const server = await echo();
    for (const allow of ['', '127.0.0.1']) {
      const outbound = createOutbound(allowing(allow));
      await expect(outbound(`http://${authority}:${server.port}/`)).rejects.toThrow();
    }
    expect(server.received).toEqual([]);
  });

  test('reads an answer up to its limit, and no further', async () => {
    const outbound = createOutbound(allowing('127.0.0.1'));
    const longest = await listen((response) => response.end('x'.repeat(RESPONSE_BYTES_MAX)));
    expect(await (await outbound(longest.url)).text()).toHaveLength(RESPONSE_BYTES_MAX);

    const longer = await listen((response) => {
      response.write('x');
      response.end('x'.repeat(RESPONSE_BYTES_MAX));
    });
    const reading = outbound(longer.url).then((response) => response.text());
    await expect(reading).rejects.toThrow();
  });

  test.each(['gzip', 'br', 'deflate', 'GZIP', 'identity, gzip', 'zstd', 'x'])(
    'reads nothing that is packed as %s, since its size is not known before',
    async (encoding) => {
      const bomb = gzipSync(Buffer.alloc(64 * RESPONSE_BYTES_MAX));
      const server = await listen((response) => {
        response.writeHead(200, { 'content-encoding': encoding }).end(bomb);
      });
      const outbound = createOutbound(allowing('127.0.0.1'));
      await expect(outbound(server.url)).rejects.toBeInstanceOf(EncodingRefused);
      expect(server.received[0]?.headers['accept-encoding']).toBe('identity');
    },
  );

  test('uses no proxy that the environment names', async () => {
    const proxy = await listen((response) => response.end('the proxy'));
    for (const name of ['http_proxy', 'HTTP_PROXY', 'all_proxy']) vi.stubEnv(name, proxy.url);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const server = await echo();
    const response = await createOutbound(allowing('127.0.0.1'))(
      `http://127.0.0.1:${server.port}/`,
    );
    expect(await response.text()).toBe('reached');
    expect(proxy.received).toEqual([]);
  });
});
