import type { ObjectRef } from '@pothos/core';
import { type Kysely, sql } from 'kysely';
import { validate as isUuid } from 'uuid';
import type { LedgerEntry, Tables } from '../../db/tables.ts';
import type { Actor } from '../actor.ts';
import type { RevocationReason } from '../operation.ts';
import { missingPermissions } from '../permissions.ts';
import { archiveEnd } from '../retention/archived.ts';
import type { Builder, Extended, FieldBuilder } from './builder.ts';
import { isIdCursor, isNumberCursor, newestFirst, type PageArgs } from './page.ts';
import { type GraphTypes, kindValue, type TypeSpec, visibleRow } from './types.ts';

/** Adds `Revocation`, `LedgerEntry`, and their lists on `Me`. */
export function addLedger(
  builder: Builder,
  specs: readonly TypeSpec[],
  types: GraphTypes,
  me: ObjectRef<Extended, Actor>,
) {
  const revocation = builder.objectRef<LedgerEntry>('Revocation').implement({
    description: 'A revocation that was carried out: the proof of what was stopped, when, and why.',
    interfaces: [types.node],
    isTypeOf: (value) => 'seq' in (value as object),
    fields: (t) => ({
      kind: t.field({
        type: types.kindEnum,
        description: 'What kind of thing was revoked.',
        resolve: (entry) => kindValue(entry.kind),
      }),
      target: t.exposeString('target', {
        description: 'What was revoked, as the caller addressed it: its ids, divided by slashes.',
      }),
      revokedAt: t.field({
        type: 'DateTime',
        description: 'When it was revoked.',
        resolve: (entry) => entry.at_ms,
      }),
      reason: t.field({
        type: types.reasonEnum,
        description: 'Why.',
        resolve: (entry) => (entry.reason as RevocationReason | null) ?? 'UNSPECIFIED',
      }),
      comment: t.exposeString('comment', { nullable: true, description: 'What the caller added.' }),
      actor: t.exposeString('actor', { description: 'Who revoked it.' }),
      actorId: actorId(t),
      revocable: t.field({
        type: types.revocable,
        nullable: true,
        description: 'The thing itself, as it is now, where the caller may see it.',
        resolve: (entry, _args, context) =>
          entry.target_id === null ? null : visibleRow(specs, entry.target_id, context),
      }),
    }),
  });

  const outcome = builder.enumType('LedgerOutcome', {
    description: 'What came of an attempt.',
    values: {
      DONE: { description: 'It was carried out.' },
      REFUSED: { description: 'It was refused, and nothing changed.' },
    },
  });
  const action = builder.enumType('LedgerAction', {
    description: 'What was attempted.',
    values: {
      REVOKE: { description: 'To revoke something.' },
      CREATE: { description: 'To make something.' },
      UPDATE: { description: 'To change something.' },
      USE_UP: { description: 'A token was used as often as it may be.' },
      LATE: { description: 'A target has fallen behind the published bound.' },
      STUCK: { description: 'A target did not acknowledge in as many attempts as there are.' },
      TEST: { description: 'To send a test to a webhook.' },
      ROTATE: {
        description:
          'To give a target another secret, or the gateway another signing key: `comment` says from when on that signs.',
      },
      RETIRE: { description: 'To have the signatures of a signing key count no more.' },
      RESUME: { description: 'To have what is stuck at a target tried again.' },
      CLOSE: { description: 'To let one delivery be.' },
      REMOVE: { description: 'To remove a target.' },
      ARCHIVE: {
        description:
          'To move entries of the ledger to a file: `target` has the first and the last, `comment` the digest.',
      },
    },
  });
  const entryType = builder.objectRef<LedgerEntry>('LedgerEntry').implement({
    description: 'One authenticated attempt, done or refused. Entries are never changed.',
    fields: (t) => ({
      seq: t.float({
        description: 'Its place in the ledger: grows with every commit, over all organizations.',
        resolve: (entry) => entry.seq,
      }),
      id: t.exposeID('id', { description: 'The id; of a revocation, the id of that too.' }),
      at: t.field({ type: 'DateTime', description: 'When.', resolve: (entry) => entry.at_ms }),
      action: t.field({
        type: action,
        description: 'What was attempted.',
        resolve: (entry) => kindValue(entry.action) as 'REVOKE',
      }),
      kind: t.field({
        type: types.kindEnum,
        description: 'On what kind of thing.',
        resolve: (entry) => kindValue(entry.kind),
      }),
      target: t.exposeString('target', {
        description:
          'On what, as the caller addressed it; a fingerprint of that where it led to nothing.',
      }),
      outcome: t.field({
        type: outcome,
        description: 'What came of it.',
        resolve: (entry) => entry.outcome.toUpperCase() as 'DONE' | 'REFUSED',
      }),
      refusal: t.exposeString('refusal', {
        nullable: true,
        description: 'The code of the error that was answered.',
      }),
      reason: t.field({
        type: types.reasonEnum,
        nullable: true,
        description: 'Why, as the caller said.',
        resolve: (entry) => entry.reason as RevocationReason | null,
      }),
      comment: t.exposeString('comment', { nullable: true, description: 'What the caller added.' }),
      actor: t.exposeString('actor', { description: 'Who attempted it.' }),
      actorId: actorId(t),
      surface: t.exposeString('surface', {
        description:
          'Through what: `graphql`, `rest`, `oauth` or `cli`; `gateway` for what the gateway itself records.',
      }),
      requestId: t.string({
        description: 'The request, as its answer and the log name it.',
        resolve: (entry) => entry.request_id,
      }),
    }),
  });

  const mayRead = (actor: Actor) =>
    missingPermissions(actor.permissions, ['ledger:read']).length === 0;
  const unlessDenied = 'Null without the permission ledger:read.';

  builder.objectFields(me, (t) => ({
    revocation: t.field({
      type: revocation,
      nullable: true,
      description: `The revocation with this id: what \`Revocation-Id\` says. Null also where it is archived: see \`archivedUntil\`. ${unlessDenied}`,
      args: { id: t.arg.id({ required: true, description: 'The id of the revocation.' }) },
      resolve: async (actor, { id }, { gateway }) =>
        mayRead(actor) && isUuid(id)
          ? await revocations(gateway.reader, actor).where('id', '=', id).executeTakeFirst()
          : null,
    }),
    archivedUntil: t.field({
      type: 'DateTime',
      nullable: true,
      description: `When the last entry was made that is in an archive: it and those before are in \`ledger\` and \`revocations\` no more. Null where none is. ${unlessDenied}`,
      resolve: async (actor, _args, { gateway }) =>
        mayRead(actor)
          ? (await archiveEnd(gateway.reader, actor.organizationId))?.last_at_ms
          : null,
    }),
    revocations: t.connection(
      {
        type: revocation,
        nullable: true,
        description: `What was revoked, newest first. ${unlessDenied}`,
        resolve: (actor, args, { gateway }) =>
          mayRead(actor) ? revocationsPage(gateway.reader, actor, args) : null,
      },
      { name: 'RevocationConnection', description: 'A page of revocations.' },
      { name: 'RevocationEdge', description: 'One revocation of a page.' },
    ),
    ledger: t.connection(
      {
        type: entryType,
        nullable: true,
        description: `Every attempt, newest first. ${unlessDenied}`,
        resolve: (actor, args, { gateway }) =>
          mayRead(actor) ? ledgerPage(gateway.reader, actor, args) : null,
      },
      { name: 'LedgerEntryConnection', description: 'A page of the ledger.' },
      { name: 'LedgerEntryEdge', description: 'One entry of a page.' },
    ),
  }));
  return { revocation };
}

/** Names can be alike; ids cannot. */
const actorId = (t: FieldBuilder<LedgerEntry>) =>
  t.id({
    nullable: true,
    description:
      'The credential that the caller presented; null for one of a trusted issuer and for the command line.',
    resolve: (entry) => entry.actor_id,
  });

/** The conditions are literals, so that the index of revocations alone serves them. */
function revocations(db: Kysely<Tables>, actor: Actor) {
  return db
    .selectFrom('ledger')
    .selectAll()
    .where('organization_id', '=', actor.organizationId)
    .where('action', '=', sql.lit('revoke'))
    .where('outcome', '=', sql.lit('done'));
}

function revocationsPage(db: Kysely<Tables>, actor: Actor, args: PageArgs) {
  return newestFirst(
    args,
    (entry: LedgerEntry) => entry.id,
    isIdCursor,
    async (stretch) => {
      let query = revocations(db, actor);
      if (stretch.above !== undefined) query = query.where('id', '>', stretch.above);
      if (stretch.below !== undefined) query = query.where('id', '<', stretch.below);
      return await query
        .orderBy('id', stretch.ascending ? 'asc' : 'desc')
        .limit(stretch.limit)
        .execute();
    },
  );
}

function ledgerPage(db: Kysely<Tables>, actor: Actor, args: PageArgs) {
  const cursorOf = (entry: LedgerEntry) => String(entry.seq);
  return newestFirst(args, cursorOf, isNumberCursor, async (stretch) => {
    let query = db
      .selectFrom('ledger')
      .selectAll()
      .where('organization_id', '=', actor.organizationId);
    if (stretch.above !== undefined) query = query.where('seq', '>', Number(stretch.above));
    if (stretch.below !== undefined) query = query.where('seq', '<', Number(stretch.below));
    return await query
      .orderBy('seq', stretch.ascending ? 'asc' : 'desc')
      .limit(stretch.limit)
      .execute();
  });
}
