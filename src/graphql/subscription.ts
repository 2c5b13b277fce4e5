import type { ObjectRef } from '@pothos/core';
import { GraphQLError } from 'graphql';
import { validate as isUuid } from 'uuid';
import type { LedgerEntry } from '../../db/tables.ts';
import type { Actor } from '../actor.ts';
import { Loaders, rowById } from '../credentials/load.ts';
import type { Gateway } from '../gateway.ts';
import { missingPermissions } from '../permissions.ts';
import { PermissionDenied, Refusal, type Unauthenticated } from '../refusals.ts';
import { Archived, archivedUpTo } from '../retention/archived.ts';
import { chainOf } from '../standing.ts';
import type { Builder, Context, Extended } from './builder.ts';
import { isNumberCursor } from './page.ts';
import { type GraphTypes, kindValue } from './types.ts';

/** Subscriptions that one organization has open at one gateway, at the most. */
export const SUBSCRIPTIONS_MAX = 100;

/** How long a subscriber is believed without being read again. */
const STANDING_AGE_MS = 500;

/** How long a subscriber may leave what it is told unread; then its connection is cut. */
export const UNREAD_MS = 30_000;

/** What a subscriber asks for. */
interface Asked {
  readonly after?: string | null | undefined;
  readonly kinds?: readonly string[] | null | undefined;
  readonly within?: string | null | undefined;
}

/** Adds `Subscription.revocations`: each revocation of the caller's organization as it happens. */
export function addSubscription(
  builder: Builder,
  types: GraphTypes,
  revocation: ObjectRef<Extended, LedgerEntry>,
): void {
  const places = new Map<string, number>();
  const event = builder.objectRef<LedgerEntry>('RevocationEvent').implement({
    description: 'One revocation, and where it lies in the ledger.',
    fields: (t) => ({
      cursor: t.string({
        description: 'Where to go on from after this one: `after` of the next subscription.',
        resolve: ({ seq }) => String(seq),
      }),
      revocation: t.field({
        type: revocation,
        description: 'The record of it.',
        resolve: (entry) => entry,
      }),
    }),
  });
  builder.subscriptionType({
    description: 'What is told as it happens, as server-sent events.',
    fields: (t) => ({
      revocations: t.field({
        type: event,
        description:
          "Every revocation of the caller's organization, in order, without gaps or repetitions. " +
          'Needs the permission ledger:read, and ends as soon as the caller has lost it.',
        args: {
          after: t.arg.string({
            description:
              'Only what follows this cursor: of this subscription, or of `ledger`; "0" is the beginning of what is not archived. What comes from now on, unless said.',
          }),
          kinds: t.arg({
            type: [types.kindEnum],
            description: 'Only what is of one of these kinds; every kind, unless said.',
          }),
          within: t.arg.id({
            description:
              'Only what has this id or lies below it: an identity, an application, a project and so on.',
          }),
        },
        subscribe: (_root, asked, context) => accept(places, asked, context),
        resolve: (entry) => entry,
      }),
    }),
  });
}

/** Checks who asks and what for, and then begins: what is revoked from here on is told. */
async function accept(
  places: Map<string, number>,
  asked: Asked,
  context: Context,
): Promise<AsyncIterable<LedgerEntry>> {
  const { gateway, live } = context;
  const { organizationId } = allowed(context.actor);
  const after = await startOf(asked.after, organizationId, gateway);
  const isWanted = await filterOf(asked, organizationId, gateway);
  const closed = live.begin();
  takePlace(places, organizationId, closed);
  const entries = gateway.tail.follow(organizationId, after, {
    signal: closed,
    idleMs: STANDING_AGE_MS,
  });
  return tell(orArchived(entries), isWanted, context);
}

/** The revocations among the entries, for as long as the caller may know of them and reads them. */
async function* tell(
  batches: AsyncIterable<readonly LedgerEntry[]>,
  isWanted: (entry: LedgerEntry) => Promise<boolean>,
  context: Context,
): AsyncGenerator<LedgerEntry> {
  for await (const entries of batches) {
    // Read after the entries, so that nothing is told that follows the caller's own end.
    let readAtMs = await renew(context);
    for (const entry of entries) {
      if (entry.action !== 'revoke' || entry.outcome !== 'done') continue;
      if (!(await isWanted(entry))) continue;
      if (performance.now() - readAtMs > STANDING_AGE_MS) readAtMs = await renew(context);
      const unread = setTimeout(context.live.cut, UNREAD_MS).unref();
      try {
        forget(context);
        yield entry;
      } finally {
        clearTimeout(unread);
      }
    }
  }
}

/** Reads the caller again; throws where it may not go on. Gives the moment, in process time. */
async function renew(context: Context): Promise<number> {
  const readAtMs = performance.now();
  Object.assign(context, { actor: allowed(await context.live.again()) } satisfies Partial<Context>);
  return readAtMs;
}

/** What was loaded for one event is no answer for the next. */
function forget(context: Context): void {
  const { gateway, actor } = context;
  const loaders = new Loaders(gateway.reader, allowed(actor).organizationId);
  Object.assign(context, { loaders } satisfies Partial<Context>);
}

function allowed(actor: Actor | Unauthenticated): Actor {
  if (actor instanceof Refusal) throw told(actor);
  const missing = missingPermissions(actor.permissions, ['ledger:read']);
  if (missing.length > 0) throw told(new PermissionDenied(missing));
  return actor;
}

const told = ({ code, message }: Refusal) => new GraphQLError(message, { extensions: { code } });

/** Nobody who goes on from a cursor misses anything without being told. */
const archived = (upTo: number) =>
  new GraphQLError(
    `What follows this cursor is archived: read the archive, and go on after "${upTo}".`,
    { extensions: { code: 'ARCHIVED', after: String(upTo) } },
  );

async function* orArchived<T>(batches: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* batches;
  } catch (error) {
    throw error instanceof Archived ? archived(error.upTo) : error;
  }
}

const badInput = (message: string) =>
  new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });

async function startOf(
  after: Asked['after'],
  organizationId: string,
  { tail, reader }: Gateway,
): Promise<number> {
  const now = await tail.position();
  if (after == null) return now;
  if (!isNumberCursor(after)) throw badInput('This is not a cursor of this subscription.');
  // It would wait in silence for the ledger to come so far, and miss what happens meanwhile.
  if (Number(after) > now) throw badInput('This cursor is ahead of the ledger: it is of another.');
  const upTo = await archivedUpTo(reader, organizationId);
  if (after === '0') return upTo;
  if (Number(after) < upTo) throw archived(upTo);
  return Number(after);
}

async function filterOf(
  { kinds, within }: Asked,
  organizationId: string,
  { reader }: Gateway,
): Promise<(entry: LedgerEntry) => Promise<boolean>> {
  if (kinds?.length === 0) throw badInput('No kinds are named: leave "kinds" out for every kind.');
  const wanted = kinds == null ? undefined : new Set(kinds);
  if (within != null && !(await isOwn(within, organizationId, reader))) {
    throw badInput('Nothing in your organization has the id that "within" says.');
  }
  return async ({ kind, target_id }) => {
    if (wanted?.has(kindValue(kind)) === false) return false;
    // What is below an organization need be no row: JWTs of others are not.
    if (within == null || within === organizationId) return true;
    if (target_id === null) return false;
    return (await chainOf(reader, 'id', target_id)).some(({ id }) => id === within);
  };
}

async function isOwn(id: string, organizationId: string, reader: Gateway['reader']) {
  return isUuid(id) && (await new Loaders(reader, organizationId).load(rowById, id)) !== undefined;
}

/** Takes one of the organization's places until the connection is closed. */
function takePlace(places: Map<string, number>, organizationId: string, closed: AbortSignal): void {
  if (closed.aborted) return;
  const taken = places.get(organizationId) ?? 0;
  if (taken >= SUBSCRIPTIONS_MAX) {
    throw new GraphQLError(
      `Your organization has ${SUBSCRIPTIONS_MAX} subscriptions open, and no more are possible.`,
      { extensions: { code: 'TOO_MANY_SUBSCRIPTIONS' } },
    );
  }
  places.set(organizationId, taken + 1);
  const giveBack = () => {
    const left = (places.get(organizationId) ?? 1) - 1;
    if (left === 0) places.delete(organizationId);
    else places.set(organizationId, left);
  };
  closed.addEventListener('abort', giveBack, { once: true });
}
