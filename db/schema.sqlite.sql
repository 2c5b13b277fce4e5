CREATE TABLE "access_tokens" ("id" text not null primary key references "revocables" ("id"), "ttl_s" integer not null, "max_ttl_s" integer not null, "period_s" integer not null, "num_uses" integer not null, "num_uses_limit" integer not null, "updated_at_ms" bigint not null, constraint "uses" check (num_uses_limit = 0 or num_uses <= num_uses_limit));

CREATE TABLE "archive_ends" ("organization_id" text not null primary key references "revocables" ("id"), "last_seq" bigint not null, "last_at_ms" bigint not null);

CREATE TABLE "archives" ("last_seq" integer not null primary key, "first_seq" bigint not null, "last_at_ms" bigint not null, "entries" bigint not null, "deliveries" bigint not null, "digest" text not null, "file" text not null, "archived_at_ms" bigint not null, "told_organization_id" text not null, "removed_at_ms" bigint);

CREATE TABLE "auth_methods" ("id" text not null primary key references "revocables" ("id"), "access_token_ttl_s" integer not null, "access_token_max_ttl_s" integer not null, "access_token_period_s" integer not null, "access_token_num_uses_limit" integer not null, "access_token_trusted_ips" text not null, "updated_at_ms" bigint not null);

CREATE TABLE "client_assertions" ("client_id" text not null references "oauth_clients" ("id"), "assertion_hash" text not null, "expires_at_ms" bigint not null, constraint "client_assertions_pkey" primary key ("client_id", "assertion_hash"));

CREATE TABLE "cut_offs" ("id" text not null primary key, "organization_id" text not null references "revocables" ("id"), "issuer" text not null, "scope" text not null, "value" text not null, "before_ms" bigint, constraint "scope" check (scope in ('token', 'subject', 'key', 'issuer')));

CREATE TABLE "deliveries" ("seq" integer not null references "ledger" ("seq"), "target_id" text not null references "targets" ("id"), "attempts" integer not null, "notified_at_ms" bigint, "acknowledged_at_ms" bigint, "last_error" text, "next_attempt_at_ms" bigint, "stuck_at_ms" bigint, "closed_at_ms" bigint, "closed_by" text, "closed_reason" text, constraint "deliveries_pkey" primary key ("seq", "target_id"));

CREATE TABLE "jwk_assignments" ("id" text not null primary key references "revocables" ("id"), "jwk_id" text not null references "jwks" ("id"));

CREATE TABLE "jwks" ("id" text not null primary key references "revocables" ("id"), "public_jwk" text not null, "kid" text default '' not null, "source" text default 'pasted' not null, "url" text);

CREATE TABLE "jwt_auths" ("id" text not null primary key references "auth_methods" ("id"), "configuration_type" text not null, "jwks_url" text not null, "public_keys" text not null, "bound_issuer" text not null, "bound_audiences" text not null, "bound_claims" text not null, "bound_subject" text not null);

CREATE TABLE "ledger" ("seq" integer not null primary key, "id" text not null, "organization_id" text not null references "revocables" ("id"), "at_ms" bigint not null, "action" text not null, "kind" text not null, "target_id" text, "target" text not null, "outcome" text not null, "refusal" text, "reason" text, "comment" text, "actor" text not null, "actor_id" text, "surface" text not null, "request_id" text not null, constraint "outcome" check (outcome in ('done', 'refused')), constraint "refusal" check ((outcome = 'refused') = (refusal is not null)));

CREATE TABLE "oauth_clients" ("id" text not null primary key references "revocables" ("id"), "public_keys" text);

CREATE TABLE "revocables" ("id" text not null primary key, "organization_id" text not null references "revocables" ("id"), "kind" text not null, "parent_id" text references "revocables" ("id"), "slug" text, "name" text, "permissions" text, "secret_hash" text unique, "issued_at_ms" bigint not null, "expires_at_ms" bigint, "revoked_at_ms" bigint, "revoked_by" text, "reason" text, "revocation_id" text, "created_by" text, constraint "root" check ((parent_id is null) = (organization_id = id)));

CREATE TABLE "signing_keys" ("kid" text not null primary key, "public_jwk" text not null, "private_jwe" text not null, "created_at_ms" bigint not null, "retired_at_ms" bigint, "signs_from_ms" bigint default 0 not null);

CREATE TABLE "targets" ("id" text not null primary key, "organization_id" text not null references "revocables" ("id"), "kind" text not null, "scope_id" text not null references "revocables" ("id"), "name" text not null, "url" text not null, "secret_jwe" text not null, "created_at_ms" bigint not null, "removed_at_ms" bigint, "events" text, "kinds" text, "previous_secret_jwe" text, "previous_secret_until_ms" bigint, "late_since_ms" bigint, "claimed_by" text, "claimed_until_ms" bigint);

CREATE INDEX "client_assertions_expired" on "client_assertions" ("client_id", "expires_at_ms");

CREATE INDEX "cut_offs_match" on "cut_offs" ("organization_id", "issuer", "scope", "value");

CREATE INDEX "deliveries_open" on "deliveries" ("target_id", "seq") where acknowledged_at_ms is null and closed_at_ms is null and stuck_at_ms is null;

CREATE INDEX "deliveries_stuck" on "deliveries" ("target_id", "seq") where acknowledged_at_ms is null and closed_at_ms is null and stuck_at_ms is not null;

CREATE INDEX "jwk_assignments_jwk" on "jwk_assignments" ("jwk_id");

CREATE INDEX "jwks_kid" on "jwks" ("kid");

CREATE INDEX "ledger_organization" on "ledger" ("organization_id", "seq");

CREATE UNIQUE INDEX "ledger_revocations" on "ledger" ("organization_id", "id") where action = 'revoke' and outcome = 'done';

CREATE UNIQUE INDEX "organizations_slug" on "revocables" ("slug") where parent_id is null;

CREATE INDEX "revocables_children" on "revocables" ("parent_id", "kind", "id");

CREATE INDEX "revocables_expired" on "revocables" ("organization_id", "expires_at_ms", "id");

CREATE INDEX "revocables_revoked" on "revocables" ("organization_id", "id") where revoked_at_ms is not null and kind in
  ('organization', 'identity', 'jwt-auth', 'token-auth', 'oauth-client', 'service-account', 'access-token');

CREATE UNIQUE INDEX "revocables_slug" on "revocables" ("parent_id", "kind", "slug") where slug is not null;

CREATE INDEX "targets_late" on "targets" ("id") where late_since_ms is not null;

CREATE INDEX "targets_listed" on "targets" ("organization_id", "id") where removed_at_ms is null;

CREATE UNIQUE INDEX "targets_live" on "targets" ("scope_id", "kind", "name") where removed_at_ms is null;

CREATE INDEX "targets_organization" on "targets" ("organization_id");

CREATE INDEX "targets_rotated" on "targets" ("previous_secret_until_ms") where previous_secret_until_ms is not null;

CREATE INDEX "targets_scope" on "targets" ("scope_id");

CREATE INDEX "targets_subscribers" on "targets" ("organization_id", "kind") where removed_at_ms is null;

CREATE TRIGGER archives_follow before insert on archives when (new.first_seq = coalesce((select max(last_seq) + 1 from archives), (select min(seq) from ledger))
  and new.last_seq >= new.first_seq and new.last_seq < (select max(seq) from ledger)) is not true
begin select raise(abort, 'an archive follows the one before, and leaves the newest entry'); end;

CREATE TRIGGER archives_no_delete before delete on archives
begin select raise(abort, 'an archive stays'); end;

CREATE TRIGGER archives_no_update before update of last_seq, first_seq, last_at_ms, entries, deliveries, digest on archives
begin select raise(abort, 'an archive stays'); end;

CREATE TRIGGER cut_offs_no_delete before delete on cut_offs
begin select raise(abort, 'a cut-off stays'); end;

CREATE TRIGGER cut_offs_no_update before update on cut_offs
begin select raise(abort, 'a cut-off stays'); end;

CREATE TRIGGER deliveries_stay before delete on deliveries
when (old.acknowledged_at_ms is null and old.closed_at_ms is null) or not exists (select 1 from archives where last_seq >= old.seq)
begin select raise(abort, 'a delivery stays until it is archived'); end;

CREATE TRIGGER ledger_no_delete before delete on ledger when not exists (select 1 from archives where last_seq >= old.seq)
begin select raise(abort, 'the ledger is append-only'); end;

CREATE TRIGGER ledger_no_replace before insert on ledger
when new.seq <= (select max(seq) from ledger)
begin select raise(abort, 'the ledger is append-only'); end;

CREATE TRIGGER ledger_no_update before update on ledger
begin select raise(abort, 'the ledger is append-only'); end;

CREATE TRIGGER revocables_stay before delete on revocables
when old.revoked_at_ms is not null and (old.expires_at_ms is null
  or old.expires_at_ms > unixepoch('subsec') * 1000 or exists (select 1 from ledger where organization_id = old.organization_id
  and id = old.revocation_id and action = 'revoke' and outcome = 'done'))
begin select raise(abort, 'what is revoked stays revoked'); end;

CREATE TRIGGER revocables_stay_revoked
before update of revoked_at_ms, revoked_by, reason, revocation_id on revocables
when old.revoked_at_ms is not null
begin select raise(abort, 'what is revoked stays revoked'); end;
