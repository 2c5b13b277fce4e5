import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  SignJWT,
} from 'jose';
import { expect } from 'vitest';
import { Unauthenticated } from '../src/refusals.ts';
import type { Vouched } from '../src/verify/foreign.ts';
import { credentialOf } from './callers.ts';
import { ask, type Result } from './creation.ts';
import { creationOf } from './creations.ts';
import type { Harness } from './harness.ts';
import { mutationOf, organizationRow } from './kinds.ts';

/** JWKs of projects: made, assigned and signed with, as clients do. */

export type Names = Readonly<Record<'projectName' | 'username' | 'jwkName', string>>;

export const names: Names = { projectName: 'shop', username: 'ada', jwkName: 'first' };

/** Asks for something that is made, as a client would; it must be done. */
export async function create(
  h: Harness,
  mutation: string,
  input: object,
  token: string = h.demo.callers.admin,
): Promise<Result> {
  const result = await ask(h, creationOf(mutation), input, token);
  expect(result).toHaveProperty('shown.id');
  return result;
}

/** Makes a project with one gateway credential. */
export async function makeCredential(
  h: Harness,
  { projectName, username }: Omit<Names, 'jwkName'> = names,
  token?: string,
): Promise<void> {
  await create(h, 'createProject', { projectName }, token);
  await create(h, 'createGatewayCredential', { projectName, username }, token);
}

/** Makes a JWK, from a new key pair unless said; its private half. */
export async function makeJwk(
  h: Harness,
  { projectName, jwkName }: Omit<Names, 'username'> = names,
  source: object = { generate: 'ES256' },
  token?: string,
): Promise<JWK> {
  const { secret } = await create(h, 'createJwk', { projectName, jwkName, ...source }, token);
  return JSON.parse(secret ?? '{}') as JWK;
}

/** A key pair that the gateway has not made. */
export async function keyPair(alg = 'ES256'): Promise<{ secret: JWK; published: JWK }> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const published = { ...(await exportJWK(publicKey)), alg };
  const kid = await calculateJwkThumbprint(published);
  return { secret: { ...(await exportJWK(privateKey)), alg, kid }, published };
}

/** Gives a credential a JWK. */
export const assign = (
  h: Harness,
  given: Names = names,
  use: 'Validation' | 'Encryption' = 'Validation',
  token?: string,
): Promise<Result> => create(h, `assignJwk${use}`, given, token);

/** All at once: a project, a credential, and a JWK for its JWTs. */
export async function makeAssigned(h: Harness, given = names, token?: string): Promise<JWK> {
  await makeCredential(h, given, token);
  const key = await makeJwk(h, given, undefined, token);
  await assign(h, given, undefined, token);
  return key;
}

/** Has a mutation revoke a row of this kind; what it answers. */
export async function revokeKind(h: Harness, kind: string, input: Record<string, string>) {
  const mutation = mutationOf(credentialOf(kind));
  const { data } = await h.graphql<{ result: { __typename: string; code?: string } }>(
    mutation,
    { input },
    h.demo.callers.admin,
  );
  return data.result;
}

/** A JWT of a gateway credential; a claim that is undefined is left out. */
export async function signAs(key: JWK, claims: object = {}, header: object = {}): Promise<string> {
  const { alg = '', kid = '' } = key;
  const nowS = Math.floor(Date.now() / 1000);
  return await new SignJWT({ sub: names.username, iat: nowS, exp: nowS + 300, ...claims })
    .setProtectedHeader({ alg, kid, ...header })
    .sign(await importJWK(key, alg));
}

/** What the one verifier makes of a JWT for an organization; a text where it is refused. */
export async function vouchedFor(
  h: Harness,
  token: string,
  organization = 'acme',
): Promise<Vouched | string> {
  const { id } = await organizationRow(h, organization);
  const verified = await h.running.gateway.verify(token, { use: false, organizationId: id });
  if (verified instanceof Unauthenticated) return verified.reason;
  if (verified.foreign === undefined) throw new Error('This is a token of our own');
  return verified;
}

/** `good`, or why a JWT is refused. */
export async function standingFor(h: Harness, token: string, organization?: string) {
  const vouched = await vouchedFor(h, token, organization);
  return typeof vouched === 'string' ? vouched : 'good';
}
