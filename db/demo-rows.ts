import { createHash, randomBytes } from 'node:crypto';
import type { Insertable } from 'kysely';
import { newRow } from '../src/credentials/row.ts';
import { hashSecret, newSecret, type secretPrefixes } from '../src/secrets.ts';
import type { Running } from '../src/start.ts';
import { signAccessToken } from '../src/tokens.ts';
import type { Revocable, Tables } from './tables.ts';

/** Where ids and secrets come from. */
export interface DemoSource {
  newId(): string;
  /** From a series of their own, so that with them all other ids are what they were. */
  newClientId(): string;
  newBytes(): Buffer;
}

/** Ids and secrets that nobody can guess. */
export const randomSource = (newId: () => string): DemoSource => ({
  newId,
  newClientId: newId,
  newBytes: () => randomBytes(32),
});

/** Ids and secrets that are the same every time: for a throwaway database on loopback alone. */
export function fixedSource(): DemoSource {
  const counted = (series: string) => {
    let ids = 0;
    return () => `01900000-0000-7000-${series}-${(++ids).toString(16).padStart(12, '0')}`;
  };
  let secrets = 0;
  return {
    newId: counted('8000'),
    newClientId: counted('8001'),
    newBytes: () => createHash('sha256').update(`demo ${++secrets}`).digest(),
  };
}

/** A table and what goes into it. */
type Pending = { [T in keyof Tables]?: Insertable<Tables[T]>[] };

const ROWS_PER_INSERT = 500;

/** Rows on their way into the database: parents before children, details after both. */
export class DemoRows {
  readonly #running: Running;
  readonly #source: DemoSource;
  readonly #slugs = new Map<string, string>();
  readonly #parents = new Map<string, string | null>();
  readonly #pending: Pending = {};
  readonly nowMs: number;

  constructor(running: Running, source: DemoSource) {
    this.#running = running;
    this.#source = source;
    this.nowMs = running.gateway.now();
  }

  organization(slug: string): Revocable {
    const id = this.#source.newId();
    this.#slugs.set(id, slug);
    const kind = 'organization';
    return this.#keep(
      newRow({ id, organization_id: id, kind, issued_at_ms: this.nowMs, slug, name: slug }),
    );
  }

  row(parent: Revocable, kind: string, more: Partial<Revocable> = {}): Revocable {
    return this.#keep(
      newRow({
        id: this.#source.newId(),
        organization_id: parent.organization_id,
        parent_id: parent.id,
        kind,
        issued_at_ms: this.nowMs,
        ...more,
      }),
    );
  }

  /** A row that is recognised by an opaque secret. */
  secret(kind: keyof typeof secretPrefixes, parent: Revocable, more: Partial<Revocable> = {}) {
    const secret = newSecret(kind, this.#source.newBytes());
    const row = this.row(parent, kind, { ...more, secret_hash: hashSecret(secret) });
    return { id: row.id, secret };
  }

  /** A client of the OAuth endpoints. */
  oauthClient(parent: Revocable, name: string, permissions: readonly string[]) {
    const clientSecret = newSecret('oauth-client', this.#source.newBytes());
    const { id: clientId } = this.#keep(
      newRow({
        id: this.#source.newClientId(),
        organization_id: parent.organization_id,
        parent_id: parent.id,
        kind: 'oauth-client',
        issued_at_ms: this.nowMs,
        name,
        permissions: JSON.stringify(permissions),
        secret_hash: hashSecret(clientSecret),
      }),
    );
    this.detail('oauth_clients', { id: clientId, public_keys: null });
    return { clientId, clientSecret };
  }

  /** A row that is recognised by a JWT. One whose time to live is negative has expired. */
  async token(parent: Revocable, subject: string, ttlMs: number, permissions?: string[]) {
    const row = this.row(parent, 'access-token', {
      expires_at_ms: this.nowMs + ttlMs,
      ...(permissions && { name: subject, permissions: JSON.stringify(permissions) }),
    });
    const token = await signAccessToken(this.#running.gateway, {
      id: row.id,
      subject,
      organization: this.#slugs.get(row.organization_id) ?? '',
      permissions: permissions ?? [],
      chain: this.#chain(row.parent_id),
      issuedAtMs: Math.min(this.nowMs, this.nowMs + 2 * ttlMs),
      expiresAtMs: this.nowMs + ttlMs,
    });
    row.secret_hash = hashSecret(token);
    return { id: row.id, token };
  }

  /** A place that learns of changes in a project. */
  async environment(project: Revocable, name: string, url: string): Promise<void> {
    const secret = `whsec_${this.#source.newBytes().toString('base64')}`;
    this.detail('targets', {
      id: this.#source.newId(),
      organization_id: project.organization_id,
      kind: 'environment',
      scope_id: project.id,
      name,
      url,
      secret_jwe: await this.#running.secretKey.seal(secret),
      created_at_ms: this.nowMs,
      removed_at_ms: null,
    });
  }

  detail<T extends keyof Tables>(table: T, row: Insertable<Tables[T]>): void {
    const rows: Insertable<Tables[T]>[] = this.#pending[table] ?? [];
    rows.push(row);
    this.#pending[table] = rows as Pending[T];
  }

  /** Writes all of it in one transaction. */
  async insert(): Promise<void> {
    await this.#running.gateway.writes.run(async (tx) => {
      for (const [table, rows] of Object.entries(this.#pending)) {
        for (let i = 0; i < rows.length; i += ROWS_PER_INSERT) {
          await tx
            .insertInto(table as keyof Tables)
            .values(rows.slice(i, i + ROWS_PER_INSERT) as never)
            .execute();
        }
      }
    });
  }

  /** The ids from a row up to its organization. */
  #chain(id: string | null): string[] {
    return id === null ? [] : [id, ...this.#chain(this.#parents.get(id) ?? null)];
  }

  #keep(row: Revocable): Revocable {
    this.#parents.set(row.id, row.parent_id);
    this.detail('revocables', row);
    return row;
  }
}
