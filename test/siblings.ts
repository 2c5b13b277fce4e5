import type { Answer, Harness } from './harness.ts';

/** Asks a path of a product for more than a revocation. */

export const send = (h: Harness, method: string, path: string, token?: string, body?: unknown) =>
  h.rest(method, path, token, {
    ...(body !== undefined && {
      payload: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
  });

export const said = ({ status, headers, body }: Answer) => ({
  status,
  type: headers['content-type'],
  body: JSON.parse(body) as Record<string, unknown>,
});

/** Whether a secret is good, whoever asks. */
export const isGood = async (h: Harness, secret: string): Promise<boolean> =>
  'chain' in (await h.running.gateway.verify(secret, { use: false }));
