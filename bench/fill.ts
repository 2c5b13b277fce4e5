import { closeSync, fsyncSync, openSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { hashSecret } from '../src/secrets.ts';
import { anywhere } from '../src/verify/limits.ts';
import { applicationOf, idOf, KEYS_PER_APPLICATION, keySecretOf } from './rows.ts';

/** The SQL that fills a database of the gateway with rows like those that it makes itself. */

const addRevocable = `insert into revocables
  (id, organization_id, kind, parent_id, name, secret_hash, issued_at_ms, created_by)
  values (?, ?, ?, ?, ?, ?, ?, 'operator bench')`;

const addMethod = `insert into auth_methods
  (id, access_token_ttl_s, access_token_max_ttl_s, access_token_period_s,
   access_token_num_uses_limit, access_token_trusted_ips, updated_at_ms)
  values (?, 2592000, 2592000, 0, 0, ?, ?)`;

const addToken = `insert into revocables
  (id, organization_id, kind, parent_id, secret_hash, issued_at_ms, expires_at_ms, created_by)
  values (?, ?, 'access-token', ?, ?, ?, ?, 'operator bench')`;

const addIssuance = `insert into access_tokens
  (id, ttl_s, max_ttl_s, period_s, num_uses, num_uses_limit, updated_at_ms)
  values (?, 2592000, 2592000, 0, 0, 0, ?)`;

/** Indexes that may be made once the rows are there: quicker, and the same. */
const ownIndexes =
  "select name, sql from sqlite_master where type = 'index' and tbl_name = 'revocables' and sql is not null";

/** Rows of one transaction. */
const ROWS_PER_COMMIT = 500_000;

export interface Organization {
  readonly id: string;
  readonly slug: string;
}

/** Token Auth of an identity. */
export interface Method {
  readonly id: string;
  readonly identityId: string;
  readonly issuedAtMs: number;
}

/** An access token that the gateway's key has signed. */
export interface Token {
  readonly id: string;
  readonly methodId: string;
  readonly hash: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

/** Adds applications with API keys, `from` the first number up to, but without, `to`. */
export function fillKeys(file: string, { id }: Organization, from: number, to: number): void {
  inBulk(file, (db) => {
    const add = db.prepare(addRevocable);
    return function* () {
      const nowMs = Date.now();
      let parent = applicationOf(from);
      for (let i = from; i < to; i++) {
        if (i % KEYS_PER_APPLICATION === 0) {
          parent = applicationOf(i);
          add.run(parent, id, 'application', id, `application-${i}`, null, nowMs);
        }
        const hash = hashSecret(keySecretOf(i));
        add.run(idOf('key', i), id, 'api-key', parent, `key-${i}`, hash, nowMs);
        yield;
      }
    };
  });
}

/** Adds identities with Token Auth, and their access tokens. */
export function fillTokens(
  file: string,
  { id }: Organization,
  methods: readonly Method[],
  tokens: readonly Token[],
): void {
  inBulk(file, (db) => {
    const addOwner = db.prepare(addRevocable);
    const addSettings = db.prepare(addMethod);
    const [add, addDetail] = [db.prepare(addToken), db.prepare(addIssuance)];
    return function* () {
      for (const { id: methodId, identityId, issuedAtMs } of methods) {
        addOwner.run(identityId, id, 'identity', id, `runner ${identityId}`, null, issuedAtMs);
        addOwner.run(methodId, id, 'token-auth', identityId, null, null, issuedAtMs);
        addSettings.run(methodId, JSON.stringify(anywhere), issuedAtMs);
        yield;
      }
      for (const { id: tokenId, methodId, hash, issuedAtMs, expiresAtMs } of tokens) {
        add.run(tokenId, id, methodId, hash, issuedAtMs, expiresAtMs);
        addDetail.run(tokenId, issuedAtMs);
        yield;
      }
    };
  });
}

/** Writes without waiting for the disk, in large transactions, and leaves one file that is on it. */
export function inBulk(
  file: string,
  prepare: (db: Sqlite.Database) => () => Generator<undefined>,
): void {
  const db = new Sqlite(file);
  try {
    // No other process has the file, and what fails is thrown away.
    db.pragma('locking_mode = EXCLUSIVE');
    db.pragma('journal_mode = MEMORY');
    db.pragma('synchronous = OFF');
    db.pragma('cache_size = -2000000');
    db.pragma('foreign_keys = OFF');
    const indexes = db.prepare<[], { name: string; sql: string }>(ownIndexes).all();
    for (const { name } of indexes) db.exec(`drop index "${name}"`);
    const rows = prepare(db)();
    for (let more = true; more; ) {
      db.exec('begin immediate');
      for (let n = 0; n < ROWS_PER_COMMIT && more; n++) more = rows.next().done !== true;
      db.exec('commit');
    }
    for (const { sql } of indexes) db.exec(sql);
    db.pragma('locking_mode = NORMAL');
    db.pragma('journal_mode = WAL');
  } finally {
    db.close();
  }
  const fd = openSync(file, 'r+');
  fsyncSync(fd);
  closeSync(fd);
}
