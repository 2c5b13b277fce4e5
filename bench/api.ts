import { once } from 'node:events';
import Fastify from 'fastify';
import { requireCredential } from '../src/verifier/fastify.ts';
import { createVerifier } from '../src/verifier/index.ts';

/** An API that asks an enforcement point about each request; started by `fork`, which gives it what it needs. */

export interface ApiGiven {
  readonly url: string;
  readonly token: string;
  readonly cacheMax: number;
}

/** Where it is reached. `/` needs a credential, and `/status` says how its verifier stands. */
export interface ApiStarted {
  readonly url: string;
}

const [given] = (await once(process, 'message')) as [ApiGiven];
const verifier = createVerifier({ ...given, whenStale: 'strict' });
await verifier.ready();
const app = Fastify();
app.get('/', { onRequest: requireCredential(verifier) }, async (request) => ({
  jti: request.credential?.jti,
}));
app.get('/status', async () => verifier.status());
const url = await app.listen({ port: 0, host: '127.0.0.1' });
process.send?.({ url } satisfies ApiStarted);
