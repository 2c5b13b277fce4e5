import { expect, test } from 'vitest';
import { type Harness, openGateway } from './harness.ts';
import { withSixth } from './kinds.ts';
import { describeAll, type OpenapiDocument, placesIn } from './openapi.ts';

/** The document has what the server mounts, no more and no less; and how it is served. */

/** What the router has, as it prints itself: each path with all its methods. */
function routesIn({ app }: Harness): [path: string, methods: string[]][] {
  const above: string[] = [];
  return app
    .printRoutes({ commonPrefix: false })
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [, indent = '', part = '', methods = ''] =
        /^((?:[│ ] {3})*)[├└]── (\S+) \((.+)\)$/.exec(line) ?? [];
      const depth = indent.length / 4;
      above[depth] = `${above[depth - 1] ?? ''}${part}`;
      return [above[depth], methods.split(', ')];
    });
}

/** In production GraphQL takes no other GET. */
const asked = { headers: { accept: 'text/event-stream' } };

/** Fastify lets none through that does not say what it asks in. */
const query = { payload: '{}', headers: { 'content-type': 'application/json' } };

const filled = (path: string) => path.replace(/:\w+|\*/g, 'x');
const template = (path: string) => path.replace(/:(\w+)/g, '{$1}');

/** Each method of each path that is not told that it is the wrong one. */
async function served(h: Harness, routes: ReturnType<typeof routesIn>): Promise<string[]> {
  const found: string[] = [];
  for (const [path, methods] of routes) {
    const answered: string[] = [];
    for (const method of methods) {
      const body = method === 'QUERY' ? query : asked;
      const { status, headers } = await h.rest(method, filled(path), undefined, body);
      if (method === 'OPTIONS') expect([path, status]).toEqual([path, 204]);
      if (status !== 405) answered.push(method);
      else expect(headers.allow).toContain('OPTIONS');
    }
    const { headers } = await h.rest('OPTIONS', filled(path));
    expect([path, headers.allow?.split(', ').toSorted()]).toEqual([path, answered.toSorted()]);
    // HEAD is answered like GET, and nowhere else.
    expect(answered.includes('HEAD')).toBe(answered.includes('GET') && !withoutHead.has(path));
    found.push(
      ...answered
        .filter((method) => !['HEAD', 'OPTIONS'].includes(method))
        .map((method) => `${method} ${template(path)}`),
    );
  }
  return found;
}

/** Where an answer has no end, or means something to browsers alone. */
const withoutHead = new Set(['/feed', '/graphql']);

const described = (document: OpenapiDocument) =>
  placesIn(document).map(({ method, path }) => `${method} ${path}`);

for (const profile of ['development', 'production'] as const) {
  test(`all that is mounted is described, and nothing else: ${profile}`, async () => {
    const h = await openGateway({ config: { profile } });
    const found = await served(h, routesIn(h));
    expect(found.length).toBeGreaterThan(25);
    const { body } = await h.rest('GET', '/openapi.json');
    expect(described(JSON.parse(body)).toSorted()).toEqual(found.toSorted());
  });
}

test('a route that is added is in what is served', async () => {
  const h = await openGateway({ credentials: withSixth });
  const { body } = await h.rest('GET', '/openapi.json');
  const added = 'DELETE /api/v1/applications/deploy-tokens/{id}';
  expect(described(JSON.parse(body))).toContain(added);
  expect(await served(h, routesIn(h))).toContain(added);
});

test('an issuer with a path is read where the document says', async () => {
  const h = await openGateway({ config: { publicUrl: 'https://a.example/b/c' } });
  const { body } = await h.rest('GET', '/openapi.json');
  const [only = '', ...more] = described(JSON.parse(body)).filter((at) => at.endsWith('/b/c'));
  expect(more).toEqual([]);
  expect((await h.rest('GET', only.slice('GET '.length))).status).toBe(200);
});

test.each(['/openapi.json', '/docs/api', '/docs/api/swagger-ui.css'])(
  '%s is kept by clients for as long as it is the same',
  async (path) => {
    const h = await openGateway();
    const { status, headers, body } = await h.rest('GET', path);
    const { etag = '' } = headers;
    expect([status, headers['cache-control']]).toEqual([200, 'no-cache']);
    expect(etag).toMatch(/^"[\w-]{22}"$/);
    expect(body.length).toBeGreaterThan(400);
    const head = await h.rest('HEAD', path);
    expect([head.status, head.headers.etag, head.body]).toEqual([200, etag, '']);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await h.rest('GET', path, undefined, { headers: { 'if-none-match': known } });
      expect([known, again.status, again.headers.etag, again.body]).toEqual([known, 304, etag, '']);
    }
    const other = { headers: { 'if-none-match': '"other"' } };
    expect((await h.rest('GET', path, undefined, other)).status).toBe(200);
  },
);

test('the document is the same for everybody', async () => {
  const h = await openGateway();
  const { headers, body } = await h.rest('GET', '/openapi.json');
  expect(headers['content-type']).toBe('application/json');
  expect(JSON.parse(body)).toEqual(describeAll());
  expect((await h.rest('GET', '/openapi.json', h.demo.callers.admin)).body).toBe(body);
});

test('the page runs no script but those of the gateway, and is not there in production', async () => {
  const h = await openGateway();
  const { headers, body } = await h.rest('GET', '/docs/api');
  expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'; /);
  expect(headers['content-security-policy']).not.toMatch(/unsafe|https?:|\*/);
  expect(body).not.toMatch(/<script(?![^>]* src="api\/[\w.-]+")|<style|\son\w+=|token/);
  for (const name of ['nothing.js', 'package.json', '..%2Fmount.ts', '__proto__', 'constructor']) {
    expect([name, (await h.rest('GET', `/docs/api/${name}`)).status]).toEqual([name, 404]);
  }
  const closed = await openGateway({ config: { profile: 'production' } });
  for (const path of ['/docs/api', '/docs/api/swagger-ui.css']) {
    expect([path, (await closed.rest('GET', path)).status]).toEqual([path, 404]);
  }
});
