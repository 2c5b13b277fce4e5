import type { Generated, Selectable } from 'kysely';
import type { ArchiveEndsTable, ArchivesTable } from './archive-tables.ts';

/** Every table of the gateway. Times are integer milliseconds since 1970, ids are UUIDv7 text. */
export interface Tables {
  revocables: RevocablesTable;
  auth_methods: AuthMethodsTable;
  jwt_auths: JwtAuthsTable;
  jwks: JwksTable;
  jwk_assignments: JwkAssignmentsTable;
  access_tokens: AccessTokensTable;
  oauth_clients: OauthClientsTable;
  client_assertions: ClientAssertionsTable;
  cut_offs: CutOffsTable;
  ledger: LedgerTable;
  archives: ArchivesTable;
  archive_ends: ArchiveEndsTable;
  targets: TargetsTable;
  deliveries: DeliveriesTable;
  signing_keys: SigningKeysTable;
}

/**
 * Everything that can be revoked, as one tree: organizations at the top, what they own below, and
 * credentials at the leaves. A row is good while it and every ancestor is neither revoked nor
 * expired.
 */
export interface RevocablesTable {
  id: string;
  /** The tenant. An organization's own row names itself. */
  organization_id: string;
  kind: string;
  /** Null for an organization only. */
  parent_id: string | null;
  /** The name in an address (a project's name, a service account's slug): unique in parent and kind. */
  slug: string | null;
  /** The name that people read. */
  name: string | null;
  /** What a caller with this credential, or with one below it, may do: JSON list. The nearest counts. */
  permissions: string | null;
  /** SHA-256 of the secret, base64url. */
  secret_hash: string | null;
  issued_at_ms: number;
  /** Who made it, as the ledger names them. */
  created_by: string | null;
  expires_at_ms: number | null;
  revoked_at_ms: number | null;
  revoked_by: string | null;
  reason: string | null;
  /** The id of the ledger entry that revoked it. */
  revocation_id: string | null;
}

/** How an auth method of an identity issues access tokens. Durations in seconds, as on the wire. */
export interface AuthMethodsTable {
  id: string;
  access_token_ttl_s: number;
  access_token_max_ttl_s: number;
  access_token_period_s: number;
  access_token_num_uses_limit: number;
  /** JSON list of `{ipAddress, type, prefix}`. */
  access_token_trusted_ips: string;
  updated_at_ms: number;
}

/** What a JWT must be to log in through a JWT auth. */
export interface JwtAuthsTable {
  id: string;
  /** `jwks` or `static`. */
  configuration_type: string;
  jwks_url: string;
  /** JSON list of PEM texts. */
  public_keys: string;
  bound_issuer: string;
  bound_audiences: string;
  /** JSON object, claim to expected value. */
  bound_claims: string;
  bound_subject: string;
}

/** The public half of a JSON Web Key of a project. */
export interface JwksTable {
  id: string;
  /** JSON, RFC 7517. */
  public_jwk: string;
  /** The key id by which JWTs name it. */
  kid: string;
  /** `generated`, `pasted` or `url`. */
  source: string;
  /** Where a key of source `url` is read again: a key that is gone from there counts no more. */
  url: string | null;
}

/** Which JWK a gateway credential uses; the row's kind says what for. */
export interface JwkAssignmentsTable {
  id: string;
  jwk_id: string;
}

/** How an access token was issued through an auth method, and how often it was used. */
export interface AccessTokensTable {
  id: string;
  ttl_s: number;
  max_ttl_s: number;
  period_s: number;
  num_uses: number;
  /** 0: without limit. */
  num_uses_limit: number;
  updated_at_ms: number;
}

/** How an OAuth client proves who it is, where not by its secret. */
export interface OauthClientsTable {
  id: string;
  /** JSON list of public JWKs with which its assertions are checked (`private_key_jwt`). */
  public_keys: string | null;
}

/** Assertions of clients that were used, until they expire: each is good once. */
export interface ClientAssertionsTable {
  client_id: string;
  /** SHA-256 of the `jti`, base64url. */
  assertion_hash: string;
  expires_at_ms: number;
}

/** Tokens of a trusted issuer that count no more. Rows are only added; the greatest moment counts. */
export interface CutOffsTable {
  /** The id of the ledger entry. */
  id: string;
  organization_id: string;
  issuer: string;
  /** `token`, `subject`, `key` or `issuer`. */
  scope: string;
  /** The token's id, the subject or the key id; empty for a whole issuer. */
  value: string;
  /** Only tokens that were issued before this; null: all. */
  before_ms: number | null;
}

/** The append-only record of every authenticated attempt. */
export interface LedgerTable {
  /** Counts up in the order of commits, without gaps. */
  seq: number;
  id: string;
  organization_id: string;
  at_ms: number;
  /** What was attempted; what the gateway itself records: `use-up`, `late`, `stuck`. */
  action: string;
  kind: string;
  /** The row in `revocables`, where the attempt resolved to one. No reference: entries outlive rows. */
  target_id: string | null;
  /** The target as the caller addressed it; a fingerprint of that where it resolved to nothing. */
  target: string;
  /** `done` or `refused`. */
  outcome: string;
  /** The code of the refusal. */
  refusal: string | null;
  reason: string | null;
  comment: string | null;
  actor: string;
  /** The credential that the caller presented, where the gateway issued it. */
  actor_id: string | null;
  /** `graphql`, `rest`, `oauth` or `cli`; `gateway` for what the gateway itself records. */
  surface: string;
  request_id: string;
}

/** A place that must learn of revocations. */
export interface TargetsTable {
  id: string;
  organization_id: string;
  /** `environment`, `webhook` or `enforcement-point`. */
  kind: string;
  /** The row whose subtree this target is told about: an environment's project, or the organization. */
  scope_id: string;
  name: string;
  /** Where it is told; empty for an enforcement point, which asks by itself. */
  url: string;
  /** The Standard Webhooks secret, encrypted under the secret key (compact JWE); empty where there is none. */
  secret_jwe: string;
  created_at_ms: number;
  removed_at_ms: number | null;
  /** What a webhook is told of: JSON list of event types; null: all. */
  events: string | null;
  /** Of which kinds of credentials a webhook is told: JSON list; null: all. */
  kinds: string | null;
  /** The secret before the last rotation, sealed, and until when it signs beside the new one. */
  previous_secret_jwe: string | null;
  previous_secret_until_ms: number | null;
  /**
   * Since when it is behind the published bound; null: it is not. Of a removed target it says that what it
   * was owed is not all closed.
   */
  late_since_ms: number | null;
  /** The gateway that is delivering to it, and until when unless it says more: two never do at once. */
  claimed_by: string | null;
  claimed_until_ms: number | null;
}

/** Bringing one ledger entry to one target. */
export interface DeliveriesTable {
  seq: number;
  target_id: string;
  attempts: number;
  /** When the last attempt began. */
  notified_at_ms: number | null;
  acknowledged_at_ms: number | null;
  last_error: string | null;
  /** Before this it is not tried again. */
  next_attempt_at_ms: number | null;
  /** When the attempts were used up. */
  stuck_at_ms: number | null;
  /** When somebody decided that it need not arrive, who, and why. */
  closed_at_ms: number | null;
  closed_by: string | null;
  closed_reason: string | null;
}

/** The gateway's own signing keys. */
export interface SigningKeysTable {
  kid: string;
  /** JSON, RFC 7517. */
  public_jwk: string;
  /** The private JWK, encrypted under the secret key (compact JWE). */
  private_jwe: string;
  created_at_ms: number;
  retired_at_ms: number | null;
  /** Published since it was made, it signs from then on, until another does. */
  signs_from_ms: Generated<number>;
}

export type Revocable = Selectable<RevocablesTable>;
export type LedgerEntry = Selectable<LedgerTable>;
export type Target = Selectable<TargetsTable>;
export type Delivery = Selectable<DeliveriesTable>;
