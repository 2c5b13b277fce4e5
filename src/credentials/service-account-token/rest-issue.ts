import { z } from 'zod';
import type { Revocable } from '../../../db/tables.ts';
import { isScope, missingPermissions } from '../../permissions.ts';
import { InvalidInput, type NameTaken, NotFound, PermissionDenied } from '../../refusals.ts';
import { restCall } from '../../rest/call.ts';
import { json, type RestRequest } from '../../rest/dialect.ts';
import { kaiten, kaitenProblem } from '../../rest/dialects/kaiten.ts';
import { listOf, object, text, time, uuid } from '../../rest/json-schema.ts';
import { hashSecret, newSecret } from '../../secrets.ts';
import { carryOut } from '../carry-out.ts';
import { findBySlug } from '../find.ts';
import {
  checkCount,
  checkExpiry,
  checkName,
  checkSlug,
  NAME_MAX,
  slugOf,
  together,
} from '../input.ts';
import { childrenOf } from '../list.ts';
import { newRow } from '../row.ts';
import { createServiceAccountToken } from './create.ts';

const paths = ['/service-accounts/:serviceAccountSlug/tokens'];

const contentType = 'application/json';

/** Scopes that are none, which Kaiten tells apart from other invalid input. */
class InvalidScopes extends InvalidInput {}
class InvalidSlug extends InvalidInput {}

const isoOrUndefined = (ms: number | null) =>
  ms === null ? undefined : new Date(ms).toISOString();

/** A token as Kaiten shows it. */
const shown = (row: Revocable) => ({
  id: row.id,
  name: row.name,
  slug: row.slug,
  scopes: JSON.parse(row.permissions ?? '[]') as string[],
  serviceAccountId: row.parent_id,
  expiresAt: isoOrUndefined(row.expires_at_ms),
  createdAt: isoOrUndefined(row.issued_at_ms),
  createdBy: row.created_by ?? undefined,
  revokedAt: isoOrUndefined(row.revoked_at_ms),
  revokedBy: row.revoked_by ?? undefined,
});

const notFound = (
  _refusal: unknown,
  request: RestRequest,
  { serviceAccountSlug }: { serviceAccountSlug: string },
) =>
  kaitenProblem(
    request,
    404,
    'CreateToken.ServiceAccountNotFound',
    `Service account with slug ${serviceAccountSlug} not found`,
  );

const invalid = (location: 'body' | 'query') => (refusal: InvalidInput, request: RestRequest) => {
  const [issue] = refusal.issues;
  if (refusal instanceof InvalidScopes) {
    return kaitenProblem(request, 400, 'Token.InvalidScopes', issue?.message ?? '');
  }
  if (refusal instanceof InvalidSlug) {
    return kaitenProblem(request, 400, 'CreateToken.InvalidSlug', issue?.message ?? '');
  }
  const at = (path: string) => {
    if (path === 'body') return path;
    return `${path === 'serviceAccountSlug' ? 'path' : location}.${path}`;
  };
  const errors = refusal.issues.map(({ path, message }) => ({ message, location: at(path) }));
  return kaitenProblem(request, 422, 'Request.Invalid', 'validation failed', errors);
};

const badScopes = new InvalidScopes([
  { path: 'scopes', message: 'Scopes must be read: or write: and a name, or a *' },
]);

const members = {
  id: uuid,
  name: text,
  slug: text,
  scopes: listOf(text),
  serviceAccountId: uuid,
  expiresAt: time,
  createdAt: time,
  createdBy: text,
  revokedAt: time,
  revokedBy: text,
};
const leftOut = ['expiresAt', 'createdBy', 'revokedAt', 'revokedBy'];

const slug = z.string().describe('The slug of the service account.');
const example = { serviceAccountSlug: 'service-account-002' };

const sample = newRow({
  ...{ id: '01900000-0000-7000-8000-00000000005b', organization_id: '' },
  ...{ kind: 'service-account-token', parent_id: '01900000-0000-7000-8000-000000000026' },
  ...{ name: 'Nightly build', slug: 'nightly-build', permissions: '["read:tokens"]' },
  ...{ issued_at_ms: Date.UTC(2026, 10, 21, 9), created_by: 'ada' },
});

/** Kaiten: Create a token for a service account. The token is shown this once. */
export const createServiceAccountTokenRest = restCall({
  dialect: kaiten,
  method: 'POST',
  paths,
  reads: z.object({
    serviceAccountSlug: slug,
    name: z
      .string('expected required property name to be present')
      .describe(`1 to ${NAME_MAX} characters.`),
    slug: z.string().nullish().describe('Made of the name, unless said.'),
    scopes: z
      .array(z.string(), 'expected required property scopes to be present')
      .describe('Each is read: or write: and a name, or a *.'),
    expiresAt: z.iso
      .datetime({ offset: true, error: 'expected string to be RFC 3339 date-time' })
      .nullish()
      .describe('When it ends; never, unless said.'),
  }),
  refusals: createServiceAccountToken.refusals,
  async run(gateway, _actor, given, call) {
    const { serviceAccountSlug, name, scopes } = given;
    const tokenSlug = given.slug ?? slugOf(name);
    const expiresAtMs = given.expiresAt == null ? null : Date.parse(given.expiresAt);
    const wrong = together(
      checkName('name', name),
      checkExpiry('expiresAt', expiresAtMs, gateway.now()),
    );
    if (wrong !== undefined) return { refused: wrong };
    const badSlug = checkSlug('slug', tokenSlug);
    if (badSlug !== undefined) return { refused: new InvalidSlug(badSlug.issues) };
    const unknown = scopes.filter((scope) => !isScope(scope));
    if (unknown.length > 0) return { refused: badScopes };
    const badCount = checkCount('scopes', scopes);
    if (badCount !== undefined) return { refused: new InvalidScopes(badCount.issues) };
    const token = newSecret('service-account-token');
    const input = {
      ...{ id: gateway.newId(), serviceAccountSlug, name, tokenSlug, scopes, expiresAtMs },
      secretHash: hashSecret(token),
    };
    const answered = await carryOut(gateway, createServiceAccountToken, input, call);
    return 'refused' in answered ? answered : { done: { row: answered.done, token } };
  },
  done: ({ row, token }: { row: Revocable; token: string }) =>
    json(201, contentType, { ...shown(row), token }),
  refused: {
    ...kaiten.common,
    INVALID_INPUT: invalid('body'),
    NOT_FOUND: notFound,
    OWNER_REVOKED: notFound,
    NAME_TAKEN: (_refusal: NameTaken, request, { name, slug }) =>
      kaitenProblem(
        request,
        409,
        'CreateToken.SlugConflict',
        `Token with slug "${slug ?? slugOf(name)}" already exists for this service account`,
      ),
  },
  describe: {
    operationId: 'createServiceAccountToken',
    summary: 'Make a token of a service account',
    description:
      'The token is shown this once. Whoever gives it a scope needs what the scope allows, too.',
    permissions: ['service-account-token:create'],
    example: { ...example, name: 'Nightly build', scopes: ['read:tokens'] },
    body: object({ ...members, token: text }, leftOut),
    sample: () => ({ row: sample, token: 'ksh_…' }),
    others: (request) => [
      ['A scope is none.', invalid('body')(badScopes, request)],
      [
        'The slug, or what is made of the name, is none.',
        invalid('body')(new InvalidSlug(checkSlug('slug', '-')?.issues ?? []), request),
      ],
    ],
  },
});

const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 200;

/** Kaiten: List tokens of a service account, newest first, revoked ones included. */
export const listServiceAccountTokensRest = restCall({
  dialect: kaiten,
  method: 'GET',
  paths,
  reads: z.object({
    serviceAccountSlug: slug,
    cursor: z
      .uuid('expected a cursor of this list')
      .optional()
      .describe('The nextCursor of the page before.'),
    limit: z.coerce
      .number('expected integer')
      .int('expected integer')
      .min(1, 'expected number >= 1')
      .max(LIMIT_MAX, `expected number <= ${LIMIT_MAX}`)
      .default(LIMIT_DEFAULT)
      .describe('How many are shown at the most.'),
  }),
  refusals: [NotFound, PermissionDenied],
  async run(gateway, { organizationId, permissions }, { serviceAccountSlug, cursor, limit }) {
    const { reader } = gateway;
    const account = await findBySlug(reader, organizationId, 'service-account', serviceAccountSlug);
    if (account === undefined) return { refused: new NotFound('service account') };
    const missing = missingPermissions(permissions, ['service-account:read']);
    if (missing.length > 0) return { refused: new PermissionDenied(missing) };
    const page = { limit: limit + 1, below: cursor };
    const rows = await childrenOf(reader, account.id, 'service-account-token', page);
    const tokens = rows.slice(0, limit);
    return { done: { tokens, next: rows.length > limit ? tokens.at(-1)?.id : undefined } };
  },
  done: ({ tokens, next }: { tokens: Revocable[]; next: string | undefined }) =>
    json(200, contentType, { tokens: tokens.map(shown), nextCursor: next }),
  refused: {
    ...kaiten.common,
    INVALID_INPUT: invalid('query'),
    NOT_FOUND: notFound,
    PERMISSION_DENIED: (_refusal, request) =>
      kaitenProblem(request, 403, 'Auth.MissingScope', 'missing required scope: read:tokens'),
  },
  describe: {
    operationId: 'listServiceAccountTokens',
    summary: 'List the tokens of a service account',
    description: 'The newest first, revoked ones included.',
    permissions: ['service-account:read'],
    example,
    body: object({ tokens: listOf(object(members, leftOut)), nextCursor: text }, ['nextCursor']),
    sample: () => ({ tokens: [sample], next: undefined }),
  },
});
