import { expect } from 'vitest';
import { type Client, post, type Served } from './oauth-clients.ts';

/** Attempts to be known at the OAuth endpoints, and the answers in full. */

export const endpoints = ['token', 'introspect', 'revoke'] as const;
export const forms = {
  token: { grant_type: 'client_credentials' },
  introspect: { token: 'x' },
  revoke: { token: 'x' },
};

export const unknown = {
  status: 401,
  challenge: 'Basic realm="revocation gateway"',
  body: { error: 'invalid_client', error_description: 'Client authentication failed.' },
};

export interface Attempt {
  readonly form?: Record<string, string>;
  readonly headers?: Record<string, string>;
}

export async function attempt(h: Served, endpoint: (typeof endpoints)[number], given: Attempt) {
  const { status, headers, body } = await post(
    h,
    endpoint,
    { ...forms[endpoint], ...given.form },
    given.headers,
  );
  expect(headers.get('content-type')).toBe('application/json');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('pragma')).toBe('no-cache');
  return { status, challenge: headers.get('www-authenticate'), body };
}

export const inForm = ({ clientId, clientSecret }: Client) => ({
  client_id: clientId,
  client_secret: clientSecret,
});
export const encoded = (text: string) => ({ authorization: `Basic ${btoa(text)}` });
