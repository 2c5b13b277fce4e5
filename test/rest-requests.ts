import fc from 'fast-check';
import type { Answer, Harness } from './harness.ts';
import * as hostile from './hostile.ts';
import type { Place } from './openapi.ts';

/** Requests to the operations of the OpenAPI document that mean harm. */

export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly payload?: string | Buffer;
}

/** What those send in `Authorization` who are known in the organization that asks. */
export const knownTo = ({ demo }: Pick<Harness, 'demo'>) => [
  `Bearer ${demo.callers.admin}`,
  `Bearer ${demo.callers.personalAccessToken}`,
  `Basic ${btoa(`${demo.oauthClient.clientId}:${demo.oauthClient.clientSecret}`)}`,
];

interface Asked {
  readonly good: readonly string[];
  /** What paths, queries and bodies have in them. */
  readonly texts: fc.Arbitrary<string>;
  /** What paths name as a whole, by the names of inputs. */
  readonly addresses?: readonly Readonly<Record<string, string>>[];
  /** Whether headers and bodies have all that hostile ones have; if not, they are as they should be. */
  readonly wild: boolean;
}

/** Requests for one operation. */
export function requestsFor(
  at: Place,
  { good, texts, wild, addresses = [] }: Asked,
): fc.Arbitrary<Sent> {
  const names = [...at.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const example = (name: string) =>
    String(at.parameters?.find((parameter) => parameter.name === name)?.example ?? 'x');
  const queried = (at.parameters ?? []).filter((each) => each.in === 'query');
  const [[type, content] = ['', undefined]] = Object.entries(at.requestBody?.content ?? {});
  const body = (content?.example ?? {}) as Record<string, unknown>;
  const isForm = type.includes('form');
  const segments = wild ? hostile.segment(texts) : texts.map(encodeURIComponent);
  const param = (name: string) =>
    fc.oneof(segments, fc.constant(encodeURIComponent(example(name))));
  const queryNames = fc.constantFrom('x', ...queried.map(({ name }) => name));
  const parts = fc.record(Object.fromEntries(names.map((name) => [name, param(name)])));
  const wholes = addresses
    .map((address) => ({ ...address, id: address.applicationId }))
    .filter((address) => names.some((name) => name in address && address[name as 'id']))
    .map((address: Record<string, string | undefined>) =>
      Object.fromEntries(
        names.map((name) => [name, encodeURIComponent(address[name] ?? example(name))]),
      ),
    );
  return fc
    .record({
      params: wholes.length > 0 ? fc.oneof(parts, fc.constantFrom(...wholes)) : parts,
      query: fc.array(fc.tuple(queryNames, texts), { maxLength: 3 }),
      headers: wild ? hostile.headers : fc.constant({}),
      authorization: wild ? hostile.authorization(good) : fc.constantFrom(...good),
      payload: wild ? hostile.body(body, isForm) : hostile.filled(body, isForm, texts),
    })
    .map(({ params, query, headers, authorization, payload }): Sent => {
      const search = query
        .map((pair) => pair.map((one) => encodeURIComponent(one.toWellFormed())).join('='))
        .join('&');
      const path = at.path.replace(/\{(\w+)\}/g, (_whole, name: string) => params[name] ?? '');
      return {
        method: at.method,
        url: search === '' ? path : `${path}?${search}`,
        headers: {
          ...(type !== '' && { 'content-type': type }),
          ...headers,
          ...(authorization !== undefined && { authorization }),
        },
        ...(at.method !== 'GET' && { payload }),
      };
    });
}

/** Sends it; what has no end is read for a moment. */
export async function send(h: Harness, { method, ...request }: Sent): Promise<Answer> {
  const response = await h.app.inject({
    ...(request as { headers: Record<string, string> }),
    url: `http://a${request.url}`,
    method: method as 'GET',
    payloadAsStream: true,
  });
  const headers = response.headers as Answer['headers'];
  const stream = response.stream();
  const endless = headers['content-type']?.startsWith('text/event-stream');
  const stop = endless ? setTimeout(() => stream.destroy(), 20) : undefined;
  let body = '';
  try {
    for await (const chunk of stream.setEncoding('utf8')) body += chunk;
  } catch (error) {
    if (!endless) throw error;
  }
  clearTimeout(stop);
  return { status: response.statusCode, headers, body };
}

/** All that an answer may repeat, as it was sent and as it was meant. */
export const sentIn = ({ url, headers, payload }: Sent): string =>
  [url, decoded(url), JSON.stringify(headers), payload].join('\n');

const decoded = (url: string) =>
  url.replace(/(?:%[0-9a-f]{2})+/gi, (bytes) =>
    Buffer.from(bytes.replaceAll('%', ''), 'hex').toString(),
  );

/** The path as the server gets it. */
export const pathIn = ({ url }: Sent): string => new URL(`http://a${url}`).pathname;
