import type { AddressInfo } from 'node:net';
import { serve as serveHono } from '@hono/node-server';
import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import { onTestFinished } from 'vitest';
import { requireCredential as forExpress } from '../src/verifier/express.ts';
import { requireCredential as forFastify } from '../src/verifier/fastify.ts';
import { requireCredential as forHono } from '../src/verifier/hono.ts';
import type { Verifier } from '../src/verifier/index.ts';

/** The same API in each framework, over HTTP for as long as a test runs; where it is reached. */

const ledger = { permissions: ['ledger:read'] };
const key = { header: 'X-API-Key', kinds: ['api-key'] };
/** As behind a proxy that is believed. */
const forwarded = 'x-forwarded-for';

/** `/` needs a credential, `/ledger` one that may read the ledger, `/key` an API key in a header of its own. */
export const apis: Record<string, (verifier: Verifier) => Promise<string>> = {
  async Fastify(verifier) {
    const app = Fastify();
    app.get('/', { onRequest: forFastify(verifier) }, async (request) => request.credential);
    app.get('/ledger', { onRequest: forFastify(verifier, ledger) }, async () => ({ ok: true }));
    app.get('/key', { onRequest: forFastify(verifier, key) }, async () => ({ ok: true }));
    const address = ({ headers }: { headers: NodeJS.Dict<string | string[]> }) =>
      headers[forwarded]?.toString();
    app.get('/forwarded', { onRequest: forFastify(verifier, { address }) }, async () => ({
      ok: true,
    }));
    onTestFinished(() => app.close());
    return await app.listen({ port: 0, host: '127.0.0.1' });
  },

  async Express(verifier) {
    const app = express();
    app.get('/', forExpress(verifier), (request, response) => {
      response.json(request.credential);
    });
    app.get('/ledger', forExpress(verifier, ledger), (_request, response) => {
      response.json({ ok: true });
    });
    app.get('/key', forExpress(verifier, key), (_request, response) => {
      response.json({ ok: true });
    });
    const address = (request: express.Request) => request.get(forwarded);
    app.get('/forwarded', forExpress(verifier, { address }), (_request, response) => {
      response.json({ ok: true });
    });
    const server = app.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    onTestFinished(() => void server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  },

  async Hono(verifier) {
    const app = new Hono();
    app.get('/', forHono(verifier), (c) => c.json(c.get('credential')));
    app.get('/ledger', forHono(verifier, ledger), (c) => c.json({ ok: true }));
    app.get('/key', forHono(verifier, key), (c) => c.json({ ok: true }));
    const address = (c: { req: { header(name: string): string | undefined } }) =>
      c.req.header(forwarded);
    app.get('/forwarded', forHono(verifier, { address }), (c) => c.json({ ok: true }));
    const port = await new Promise<number>((resolve) => {
      const server = serveHono({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, (info) =>
        resolve(info.port),
      );
      onTestFinished(() => void server.close());
    });
    return `http://127.0.0.1:${port}`;
  },
};
