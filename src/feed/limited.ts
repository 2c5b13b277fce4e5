import type { Kysely } from 'kysely';
import type { Tables } from '../../db/tables.ts';
import { isEverywhere, type TrustedIp } from '../verify/limits.ts';

/** Which of these auth methods issue tokens that may not be used from everywhere. */
export async function limitedAmong(db: Kysely<Tables>, ids: readonly string[]): Promise<string[]> {
  const rows = await db
    .selectFrom('auth_methods')
    .select(['id', 'access_token_trusted_ips'])
    .where('id', 'in', ids)
    .execute();
  return rows.filter((row) => !isEverywhere(trustedIpsOf(row))).map(({ id }) => id);
}

/** Identities whose auth methods are looked at, at once. */
const IDENTITIES_MAX = 200;

/** The auth methods of the organization whose tokens may not be used from everywhere, in portions. */
export async function* limitedMethods(
  db: Kysely<Tables>,
  organizationId: string,
): AsyncGenerator<string[]> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const identities: { id: string }[] = await db
      .selectFrom('revocables')
      .select('id')
      .where('parent_id', '=', organizationId)
      .where('kind', '=', 'identity')
      .where('id', '>', after)
      .orderBy('id')
      .limit(IDENTITIES_MAX)
      .execute();
    after = identities.at(-1)?.id;
    if (after === undefined) return;
    const methods = await db
      .selectFrom('revocables')
      .innerJoin('auth_methods', 'auth_methods.id', 'revocables.id')
      .select(['auth_methods.id', 'access_token_trusted_ips'])
      .where(
        'parent_id',
        'in',
        identities.map(({ id }) => id),
      )
      .where('kind', 'in', ['jwt-auth', 'token-auth'])
      .where('revoked_at_ms', 'is', null)
      .execute();
    yield methods.filter((method) => !isEverywhere(trustedIpsOf(method))).map(({ id }) => id);
  }
}

const trustedIpsOf = (row: { readonly access_token_trusted_ips: string }) =>
  JSON.parse(row.access_token_trusted_ips) as TrustedIp[];
