access_tokens.id text not null
access_tokens.ttl_s integer not null
access_tokens.max_ttl_s integer not null
access_tokens.period_s integer not null
access_tokens.num_uses integer not null
access_tokens.num_uses_limit integer not null
access_tokens.updated_at_ms bigint not null
archive_ends.organization_id text not null
archive_ends.last_seq bigint not null
archive_ends.last_at_ms bigint not null
archives.last_seq bigint not null
archives.first_seq bigint not null
archives.last_at_ms bigint not null
archives.entries bigint not null
archives.deliveries bigint not null
archives.digest text not null
archives.file text not null
archives.archived_at_ms bigint not null
archives.told_organization_id text not null
archives.removed_at_ms bigint
auth_methods.id text not null
auth_methods.access_token_ttl_s integer not null
auth_methods.access_token_max_ttl_s integer not null
auth_methods.access_token_period_s integer not null
auth_methods.access_token_num_uses_limit integer not null
auth_methods.access_token_trusted_ips text not null
auth_methods.updated_at_ms bigint not null
client_assertions.client_id text not null
client_assertions.assertion_hash text not null
client_assertions.expires_at_ms bigint not null
cut_offs.id text not null
cut_offs.organization_id text not null
cut_offs.issuer text not null
cut_offs.scope text not null
cut_offs.value text not null
cut_offs.before_ms bigint
deliveries.seq bigint not null
deliveries.target_id text not null
deliveries.attempts integer not null
deliveries.notified_at_ms bigint
deliveries.acknowledged_at_ms bigint
deliveries.last_error text
deliveries.next_attempt_at_ms bigint
deliveries.stuck_at_ms bigint
deliveries.closed_at_ms bigint
deliveries.closed_by text
deliveries.closed_reason text
jwk_assignments.id text not null
jwk_assignments.jwk_id text not null
jwks.id text not null
jwks.public_jwk text not null
jwks.kid text not null default ''::text
jwks.source text not null default 'pasted'::text
jwks.url text
jwt_auths.id text not null
jwt_auths.configuration_type text not null
jwt_auths.jwks_url text not null
jwt_auths.public_keys text not null
jwt_auths.bound_issuer text not null
jwt_auths.bound_audiences text not null
jwt_auths.bound_claims text not null
jwt_auths.bound_subject text not null
ledger.seq bigint not null
ledger.id text not null
ledger.organization_id text not null
ledger.at_ms bigint not null
ledger.action text not null
ledger.kind text not null
ledger.target_id text
ledger.target text not null
ledger.outcome text not null
ledger.refusal text
ledger.reason text
ledger.comment text
ledger.actor text not null
ledger.actor_id text
ledger.surface text not null
ledger.request_id text not null
oauth_clients.id text not null
oauth_clients.public_keys text
revocables.id text not null
revocables.organization_id text not null
revocables.kind text not null
revocables.parent_id text
revocables.slug text
revocables.name text
revocables.permissions text
revocables.secret_hash text
revocables.issued_at_ms bigint not null
revocables.expires_at_ms bigint
revocables.revoked_at_ms bigint
revocables.revoked_by text
revocables.reason text
revocables.revocation_id text
revocables.created_by text
signing_keys.kid text not null
signing_keys.public_jwk text not null
signing_keys.private_jwe text not null
signing_keys.created_at_ms bigint not null
signing_keys.retired_at_ms bigint
signing_keys.signs_from_ms bigint not null default 0
targets.id text not null
targets.organization_id text not null
targets.kind text not null
targets.scope_id text not null
targets.name text not null
targets.url text not null
targets.secret_jwe text not null
targets.created_at_ms bigint not null
targets.removed_at_ms bigint
targets.events text
targets.kinds text
targets.previous_secret_jwe text
targets.previous_secret_until_ms bigint
targets.late_since_ms bigint
targets.claimed_by text
targets.claimed_until_ms bigint
write_turns.id integer not null
access_tokens.access_tokens_id_fkey FOREIGN KEY (id) REFERENCES revocables(id)
access_tokens.access_tokens_pkey PRIMARY KEY (id)
access_tokens.uses CHECK (((num_uses_limit = 0) OR (num_uses <= num_uses_limit)))
archive_ends.archive_ends_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES revocables(id)
archive_ends.archive_ends_pkey PRIMARY KEY (organization_id)
archives.archives_pkey PRIMARY KEY (last_seq)
auth_methods.auth_methods_id_fkey FOREIGN KEY (id) REFERENCES revocables(id)
auth_methods.auth_methods_pkey PRIMARY KEY (id)
client_assertions.client_assertions_client_id_fkey FOREIGN KEY (client_id) REFERENCES oauth_clients(id)
client_assertions.client_assertions_pkey PRIMARY KEY (client_id, assertion_hash)
cut_offs.cut_offs_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES revocables(id)
cut_offs.cut_offs_pkey PRIMARY KEY (id)
cut_offs.scope CHECK ((scope = ANY (ARRAY['token'::text, 'subject'::text, 'key'::text, 'issuer'::text])))
deliveries.deliveries_pkey PRIMARY KEY (seq, target_id)
deliveries.deliveries_seq_fkey FOREIGN KEY (seq) REFERENCES ledger(seq)
deliveries.deliveries_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id)
jwk_assignments.jwk_assignments_id_fkey FOREIGN KEY (id) REFERENCES revocables(id)
jwk_assignments.jwk_assignments_jwk_id_fkey FOREIGN KEY (jwk_id) REFERENCES jwks(id)
jwk_assignments.jwk_assignments_pkey PRIMARY KEY (id)
jwks.jwks_id_fkey FOREIGN KEY (id) REFERENCES revocables(id)
jwks.jwks_pkey PRIMARY KEY (id)
jwt_auths.jwt_auths_id_fkey FOREIGN KEY (id) REFERENCES auth_methods(id)
jwt_auths.jwt_auths_pkey PRIMARY KEY (id)
ledger.ledger_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES revocables(id)
ledger.ledger_pkey PRIMARY KEY (seq)
ledger.outcome CHECK ((outcome = ANY (ARRAY['done'::text, 'refused'::text])))
ledger.refusal CHECK (((outcome = 'refused'::text) = (refusal IS NOT NULL)))
oauth_clients.oauth_clients_id_fkey FOREIGN KEY (id) REFERENCES revocables(id)
oauth_clients.oauth_clients_pkey PRIMARY KEY (id)
revocables.revocables_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES revocables(id)
revocables.revocables_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES revocables(id)
revocables.revocables_pkey PRIMARY KEY (id)
revocables.revocables_secret_hash_key UNIQUE (secret_hash)
revocables.root CHECK (((parent_id IS NULL) = (organization_id = id)))
signing_keys.signing_keys_pkey PRIMARY KEY (kid)
targets.targets_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES revocables(id)
targets.targets_pkey PRIMARY KEY (id)
targets.targets_scope_id_fkey FOREIGN KEY (scope_id) REFERENCES revocables(id)
write_turns.write_turns_pkey PRIMARY KEY (id)
CREATE UNIQUE INDEX access_tokens_pkey ON public.access_tokens USING btree (id)
CREATE UNIQUE INDEX archive_ends_pkey ON public.archive_ends USING btree (organization_id)
CREATE UNIQUE INDEX archives_pkey ON public.archives USING btree (last_seq)
CREATE UNIQUE INDEX auth_methods_pkey ON public.auth_methods USING btree (id)
CREATE INDEX client_assertions_expired ON public.client_assertions USING btree (client_id, expires_at_ms)
CREATE UNIQUE INDEX client_assertions_pkey ON public.client_assertions USING btree (client_id, assertion_hash)
CREATE INDEX cut_offs_match ON public.cut_offs USING btree (organization_id, issuer, scope, value)
CREATE UNIQUE INDEX cut_offs_pkey ON public.cut_offs USING btree (id)
CREATE INDEX deliveries_open ON public.deliveries USING btree (target_id, seq) WHERE ((acknowledged_at_ms IS NULL) AND (closed_at_ms IS NULL) AND (stuck_at_ms IS NULL))
CREATE UNIQUE INDEX deliveries_pkey ON public.deliveries USING btree (seq, target_id)
CREATE INDEX deliveries_stuck ON public.deliveries USING btree (target_id, seq) WHERE ((acknowledged_at_ms IS NULL) AND (closed_at_ms IS NULL) AND (stuck_at_ms IS NOT NULL))
CREATE INDEX jwk_assignments_jwk ON public.jwk_assignments USING btree (jwk_id)
CREATE UNIQUE INDEX jwk_assignments_pkey ON public.jwk_assignments USING btree (id)
CREATE INDEX jwks_kid ON public.jwks USING btree (kid)
CREATE UNIQUE INDEX jwks_pkey ON public.jwks USING btree (id)
CREATE UNIQUE INDEX jwt_auths_pkey ON public.jwt_auths USING btree (id)
CREATE INDEX ledger_organization ON public.ledger USING btree (organization_id, seq)
CREATE UNIQUE INDEX ledger_pkey ON public.ledger USING btree (seq)
CREATE UNIQUE INDEX ledger_revocations ON public.ledger USING btree (organization_id, id) WHERE ((action = 'revoke'::text) AND (outcome = 'done'::text))
CREATE UNIQUE INDEX oauth_clients_pkey ON public.oauth_clients USING btree (id)
CREATE UNIQUE INDEX organizations_slug ON public.revocables USING btree (slug) WHERE (parent_id IS NULL)
CREATE INDEX revocables_children ON public.revocables USING btree (parent_id, kind, id)
CREATE INDEX revocables_expired ON public.revocables USING btree (organization_id, expires_at_ms, id)
CREATE UNIQUE INDEX revocables_pkey ON public.revocables USING btree (id)
CREATE INDEX revocables_revoked ON public.revocables USING btree (organization_id, id) WHERE ((revoked_at_ms IS NOT NULL) AND (kind = ANY (ARRAY['organization'::text, 'identity'::text, 'jwt-auth'::text, 'token-auth'::text, 'oauth-client'::text, 'service-account'::text, 'access-token'::text])))
CREATE UNIQUE INDEX revocables_secret_hash_key ON public.revocables USING btree (secret_hash)
CREATE UNIQUE INDEX revocables_slug ON public.revocables USING btree (parent_id, kind, slug) WHERE (slug IS NOT NULL)
CREATE UNIQUE INDEX signing_keys_pkey ON public.signing_keys USING btree (kid)
CREATE INDEX targets_late ON public.targets USING btree (id) WHERE (late_since_ms IS NOT NULL)
CREATE INDEX targets_listed ON public.targets USING btree (organization_id, id) WHERE (removed_at_ms IS NULL)
CREATE UNIQUE INDEX targets_live ON public.targets USING btree (scope_id, kind, name) WHERE (removed_at_ms IS NULL)
CREATE INDEX targets_organization ON public.targets USING btree (organization_id)
CREATE UNIQUE INDEX targets_pkey ON public.targets USING btree (id)
CREATE INDEX targets_rotated ON public.targets USING btree (previous_secret_until_ms) WHERE (previous_secret_until_ms IS NOT NULL)
CREATE INDEX targets_scope ON public.targets USING btree (scope_id)
CREATE INDEX targets_subscribers ON public.targets USING btree (organization_id, kind) WHERE (removed_at_ms IS NULL)
CREATE UNIQUE INDEX write_turns_pkey ON public.write_turns USING btree (id)
CREATE OR REPLACE FUNCTION public.only_archived()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin if exists (select 1 from archives where last_seq >= old.seq) then return old; end if; raise exception '%', tg_argv[0]; end $function$
CREATE OR REPLACE FUNCTION public.only_ended()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin if old.expires_at_ms <= extract(epoch from clock_timestamp()) * 1000 and not exists (select 1 from ledger where organization_id = old.organization_id
  and id = old.revocation_id and action = 'revoke' and outcome = 'done') then return old; end if; raise exception '%', tg_argv[0]; end $function$
CREATE OR REPLACE FUNCTION public.only_finished()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin if (old.acknowledged_at_ms is not null or old.closed_at_ms is not null) and exists (select 1 from archives where last_seq >= old.seq) then return old; end if; raise exception '%', tg_argv[0]; end $function$
CREATE OR REPLACE FUNCTION public.only_following()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin if new.first_seq = coalesce((select max(last_seq) + 1 from archives), (select min(seq) from ledger))
  and new.last_seq >= new.first_seq and new.last_seq < (select max(seq) from ledger) then return new; end if; raise exception '%', tg_argv[0]; end $function$
CREATE OR REPLACE FUNCTION public.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin raise exception '%', tg_argv[0]; end $function$
CREATE TRIGGER archives_follow BEFORE INSERT ON public.archives FOR EACH ROW EXECUTE FUNCTION only_following('an archive follows the one before, and leaves the newest entry')
CREATE TRIGGER archives_no_delete BEFORE DELETE ON public.archives FOR EACH ROW EXECUTE FUNCTION refuse_change('an archive stays')
CREATE TRIGGER archives_no_truncate BEFORE TRUNCATE ON public.archives FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('an archive stays')
CREATE TRIGGER archives_no_update BEFORE UPDATE OF last_seq, first_seq, last_at_ms, entries, deliveries, digest ON public.archives FOR EACH ROW EXECUTE FUNCTION refuse_change('an archive stays')
CREATE TRIGGER cut_offs_no_change BEFORE DELETE OR UPDATE ON public.cut_offs FOR EACH ROW EXECUTE FUNCTION refuse_change('a cut-off stays')
CREATE TRIGGER deliveries_no_truncate BEFORE TRUNCATE ON public.deliveries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('a delivery stays until it is archived')
CREATE TRIGGER deliveries_stay BEFORE DELETE ON public.deliveries FOR EACH ROW EXECUTE FUNCTION only_finished('a delivery stays until it is archived')
CREATE TRIGGER ledger_no_delete BEFORE DELETE ON public.ledger FOR EACH ROW EXECUTE FUNCTION only_archived('the ledger is append-only')
CREATE TRIGGER ledger_no_truncate BEFORE TRUNCATE ON public.ledger FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('the ledger is append-only')
CREATE TRIGGER ledger_no_update BEFORE UPDATE ON public.ledger FOR EACH ROW EXECUTE FUNCTION refuse_change('the ledger is append-only')
CREATE TRIGGER revocables_stay BEFORE DELETE ON public.revocables FOR EACH ROW WHEN ((old.revoked_at_ms IS NOT NULL)) EXECUTE FUNCTION only_ended('what is revoked stays revoked')
CREATE TRIGGER revocables_stay_revoked BEFORE UPDATE OF revoked_at_ms, revoked_by, reason, revocation_id ON public.revocables FOR EACH ROW WHEN ((old.revoked_at_ms IS NOT NULL)) EXECUTE FUNCTION refuse_change('what is revoked stays revoked')
