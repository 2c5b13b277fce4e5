import { exportSPKI } from 'jose';
import { readConfig } from '../src/config.ts';
import { type Login, login } from '../src/credentials/jwt-auth/login.ts';
import { LoginRefused } from '../src/credentials/jwt-auth/login-refused.ts';
import { type Harness, type HarnessOptions, openGateway } from './harness.ts';
import type { Key } from './issuers.ts';
import { add, organizationRow } from './kinds.ts';

/** Machine identities, their auth methods, and what comes of asking for either. */

/** What a mutation answers, whichever it is. */
export interface Answered {
  readonly __typename: string;
  readonly code?: string;
  readonly message?: string;
  readonly issues?: readonly { path: string; message: string }[];
  readonly missingPermissions?: readonly string[];
  readonly secret?: string;
  readonly identity?: { readonly id: string };
  readonly accessToken?: { readonly id: string } & Record<string, unknown>;
  readonly jwtAuth?: { readonly id: string } & Record<string, unknown>;
  readonly tokenAuth?: { readonly id: string } & Record<string, unknown>;
}

/** Opens a gateway that may read keys from servers of tests. */
export const openReaching = ({ config, ...options }: HarnessOptions = {}): Promise<Harness> => {
  const { outboundAllow } = readConfig({ OUTBOUND_ALLOW: '127.0.0.0/8' });
  return openGateway({ ...options, config: { outboundAllow, ...config } });
};

const tokenFields = 'id name numUses numUsesLimit issuedAt expiresAt';
const methodFields =
  'id accessTokenTTL accessTokenMaxTTL accessTokenPeriod accessTokenNumUsesLimit accessTokenTrustedIps';
const jwtAuthFields = `${methodFields} configurationType jwksUrl publicKeys
  boundIssuer boundAudiences boundSubject boundClaims { claim value }`;

/** What each mutation shows of its success. */
const shows: Record<string, string> = {
  createIdentity: 'identity { id }',
  attachJwtAuth: `jwtAuth { ${jwtAuthFields} }`,
  updateJwtAuth: `jwtAuth { ${jwtAuthFields} }`,
  attachTokenAuth: `tokenAuth { ${methodFields} }`,
  createToken: `secret accessToken { ${tokenFields} }`,
  renameToken: `accessToken { ${tokenFields} }`,
};

/** Asks for a mutation, as the admin of acme unless said. */
export async function ask(
  h: Pick<Harness, 'graphql' | 'demo'>,
  mutation: string,
  input: object,
  token: string = h.demo.callers.admin,
): Promise<Answered> {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}`;
  const success = shows[mutation] ?? 'revocation { id }';
  const query = `mutation M($input: ${type}Input!) {
    result: ${mutation}(input: $input) {
      __typename
      ... on ${type}Success { ${success} }
      ... on Error { code message }
      ... on InvalidInputError { issues { path message } }
      ... on PermissionDeniedError { missingPermissions }
    }
  }`;
  const { data, errors } = await h.graphql<{ result: Answered }>(query, { input }, token);
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data.result;
}

/** Makes an identity in an organization, and gives its id. */
export async function addIdentity(
  h: Harness,
  permissions: readonly string[] = ['identity:read'],
  organization = 'acme',
): Promise<string> {
  const more = { name: 'robot', permissions: JSON.stringify(permissions) };
  return (await add(h, await organizationRow(h, organization), 'identity', more)).id;
}

/** Makes an identity that has Token Auth. */
export async function withTokenAuth(h: Harness, settings: object = {}): Promise<string> {
  const identityId = await addIdentity(h);
  expectDone(await ask(h, 'attachTokenAuth', { identityId, ...settings }));
  return identityId;
}

/** Makes an identity that has JWT Auth, with the key in the settings unless they say otherwise. */
export async function withJwtAuth(h: Harness, key: Key, settings: object = {}): Promise<string> {
  const identityId = await addIdentity(h);
  const pem = await exportSPKI(key.publicKey);
  const input = { identityId, configurationType: 'STATIC', publicKeys: [pem], ...settings };
  expectDone(await ask(h, 'attachJwtAuth', input));
  return identityId;
}

/** Makes an access token on request. */
export async function newToken(h: Harness, identityId: string) {
  const answered = await ask(h, 'createToken', { identityId, name: 'of a test' });
  expectDone(answered);
  return { id: answered.accessToken?.id ?? '', token: answered.secret ?? '' };
}

/** Throws what was refused, so that a test that goes on has what it needs. */
export function expectDone({ __typename, ...answered }: Answered): void {
  if (!__typename.endsWith('Success')) throw new Error(JSON.stringify(answered));
}

export const logIn = (h: Pick<Harness, 'running'>, given: Login) =>
  login(h.running.gateway, given, { requestId: 'req-of-a-test' });

/** Logs in, which must be refused: status, name and text of the answer. */
export async function refusedLogIn(h: Harness, given: Login): Promise<[number, string, string]> {
  const came = await logIn(h, given);
  if (!(came instanceof LoginRefused)) throw new Error('It has logged in');
  return [came.status, came.error, came.message];
}

/** Logs in, which must succeed, and gives the access token. */
export async function accessTokenOf(h: Harness, given: Login): Promise<string> {
  const came = await logIn(h, given);
  if (came instanceof LoginRefused) throw new Error(came.message);
  return came.accessToken;
}
