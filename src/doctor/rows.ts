import { type Kysely, sql } from 'kysely';
import ms from 'ms';
import type { Tables } from '../../db/tables.ts';
import type { Config } from '../config.ts';
import { migrationNames } from '../database/migrate.ts';
import { readSecrets, secretKeyOf } from '../keys/secret-key.ts';
import { liveKeys, signingAmong } from '../keys/signing-keys.ts';
import { readOutbox } from '../observability/outbox.ts';
import { type Finding, ok, orOk, problem, warning } from './finding.ts';

/** Whether the schema is the one that this gateway works on. */
export async function checkSchema(db: Kysely<Tables>): Promise<Finding> {
  const check = 'migrations';
  const names = await sql<{ name: string }>`select name from kysely_migration`.execute(db).then(
    ({ rows }) => rows.map(({ name }) => name),
    (): string[] => [],
  );
  const newer = names.filter((name) => !migrationNames.includes(name));
  if (newer.length > 0) {
    const what = `A newer gateway has run ${newer.join(', ')}`;
    return problem(check, what, 'run the newest version of the gateway on this database');
  }
  const missing = migrationNames.filter((name) => !names.includes(name));
  if (missing.length === 0) return ok(check, `all of ${migrationNames.length} have run`);
  const what = `${missing.join(', ')} have not run`;
  return problem(check, what, 'run "gateway migrate", or start the gateway');
}

/** Entries of the ledger that are looked at, from the newest back. */
const ENTRIES_MAX = 10_000;

/** By how much the newest entry may lie in the future: clocks of gateways may differ by a second. */
const AHEAD_MAX_MS = 1_000;

/** Whether the end of the ledger is without a gap, and not made in the future. */
export async function checkLedger(db: Kysely<Tables>, nowMs: number): Promise<Finding> {
  const check = 'ledger';
  const newest = db
    .selectFrom('ledger')
    .select(['seq', 'at_ms'])
    .orderBy('seq', 'desc')
    .limit(ENTRIES_MAX);
  const { entries, first, last, lastAt } = await db
    .selectFrom(newest.as('newest'))
    .select(({ fn }) => [
      fn.countAll<number>().as('entries'),
      ...[fn.min('seq').as('first'), fn.max('seq').as('last'), fn.max('at_ms').as('lastAt')],
    ])
    .executeTakeFirstOrThrow();
  if (entries === 0) return ok(check, 'is empty');
  if (Number(entries) !== last - first + 1) {
    const what = `entries are missing between ${first} and ${last}`;
    return problem(check, what, 'restore a backup that is whole, and find out who removed them');
  }
  if (lastAt > nowMs + AHEAD_MAX_MS) {
    const what = `its newest entries are of ${new Date(lastAt).toISOString()}, which is to come`;
    return warning(check, what, 'set the clocks of all gateways by NTP');
  }
  return ok(check, `entries up to ${last}, the newest ${Number(entries)} without a gap`);
}

/** A key that signs for longer should be replaced. */
const KEY_AGE_MAX_MS = ms('365d');

/** Whether there is a key that signs, that the secret key opens, and that is not old. */
export async function checkSigningKey(
  db: Kysely<Tables>,
  secretKeyFile: string,
  nowMs: number,
): Promise<Finding[]> {
  const check = 'signing key';
  const live = await liveKeys(db);
  const signing = signingAmong(live, nowMs);
  if (signing === undefined) {
    return [warning(check, 'there is none yet', 'start the gateway, which makes one')];
  }
  const wrong: Finding[] = [];
  try {
    const secretKey = secretKeyOf(readSecrets(secretKeyFile));
    await Promise.all(live.map(({ private_jwe }) => secretKey.unseal(private_jwe)));
  } catch {
    const remedy = 'point SECRET_KEY_FILE to the file that this database was made with';
    wrong.push(problem(check, `${secretKeyFile} does not open what lies in this database`, remedy));
  }
  const since = Math.max(signing.signs_from_ms, signing.created_at_ms);
  const days = Math.floor((nowMs - since) / ms('1d'));
  if (nowMs - since > KEY_AGE_MAX_MS) {
    const what = `${signing.kid} has signed for ${days} days`;
    wrong.push(warning(check, what, 'run "gateway key rotate"'));
  }
  return orOk(check, wrong, `${signing.kid} has signed for ${days} days; ${live.length} published`);
}

/** Whether all that is to be delivered is on its way. */
export async function checkOutbox(
  db: Kysely<Tables>,
  { effectBoundMs }: Pick<Config, 'effectBoundMs'>,
  nowMs: number,
): Promise<Finding[]> {
  const check = 'deliveries';
  const outbox = await readOutbox(db);
  const wrong = outbox.flatMap(({ kind, open, stuck, oldestAtMs }): Finding[] => {
    const found: Finding[] = [];
    if (stuck > 0) {
      const remedy = 'see to the receivers, then resumeTarget, closeDelivery or removeTarget';
      found.push(problem(check, `${stuck} to targets of the kind ${kind} are stuck`, remedy));
    }
    const ageMs = oldestAtMs === undefined ? 0 : nowMs - oldestAtMs;
    if (ageMs > effectBoundMs) {
      const what = `${open} to targets of the kind ${kind} are open, the oldest for ${ms(ageMs)}`;
      const remedy = 'see that a gateway serves, and which target is late: me { targets }';
      found.push(warning(check, what, remedy));
    }
    return found;
  });
  return orOk(check, wrong, `none is stuck, and none open for longer than ${effectBoundMs} ms`);
}
