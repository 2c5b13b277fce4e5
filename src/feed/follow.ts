import { setTimeout as pause } from 'node:timers/promises';
import type { Actor } from '../actor.ts';
import type { Gateway } from '../gateway.ts';
import { archivedUpTo } from '../retention/archived.ts';
import { chainOf, standing } from '../standing.ts';
import { changesAfter } from './changes.ts';
import { type EventStream, eventText } from './event-stream.ts';
import { isInLedger, type Place, placeText } from './place.ts';
import { snapshotOf } from './snapshot.ts';
import type { Told } from './told.ts';

/** A point hears at least so often up to where it knows everything. */
export const FEED_HEARTBEAT_MS = 500;
/** Between two looks at the ledger, however fast it grows: what comes meanwhile goes together. */
const FEED_PAUSE_MS = 4;
/** Who does not read for so long is cut off: it resumes where it was. */
export const FEED_STALLED_MS = 5_000;

/** One connection of a point. */
export interface Following {
  readonly point: Pick<Actor, 'organizationId'> & { readonly credentialId: string };
  /** Where the point was; undefined: nowhere. */
  readonly after: Place | undefined;
  readonly stream: EventStream;
  readonly told: Told;
}

/**
 * Tells a point everything that ends or changes behind its position, for as long as it is good itself;
 * where it has none, or one that this ledger has not, or is archived beyond, a snapshot first. With it
 * the point is told which keys of the gateway count.
 *
 * @returns why it is over
 */
export async function follow(
  gateway: Pick<Gateway, 'reader' | 'tail' | 'now' | 'signingKeys'>,
  { point, after, stream, told }: Following,
): Promise<'gone' | 'closed' | 'revoked' | 'stalled' | 'archived' | 'restored'> {
  const { reader, tail, now, signingKeys } = gateway;
  const { organizationId, credentialId } = point;
  const isGood = async () =>
    standing(await chainOf(reader, 'id', credentialId), now()) === undefined;

  /** Sends, and waits for as long as the client may take to read it. */
  async function send(events: string): Promise<'revoked' | 'stalled' | undefined> {
    if (stream.send(events)) return undefined;
    const since = performance.now();
    while (!(await stream.drained(FEED_HEARTBEAT_MS))) {
      if (!(await isGood())) return 'revoked';
      if (performance.now() - since >= FEED_STALLED_MS) return 'stalled';
    }
    return undefined;
  }

  const begun = await tail.end();
  let position = after?.seq ?? begun.seq;
  if (
    after === undefined ||
    after.seq > begun.seq ||
    !(await isInLedger(reader, after)) ||
    after.seq < (await archivedUpTo(reader, organizationId))
  ) {
    position = begun.seq;
    const place = placeText(begun.seq, begun.id);
    for await (const part of snapshotOf(reader, organizationId, begun.seq, now())) {
      const over = await send(eventText('snapshot', part, part.more ? undefined : place));
      if (over !== undefined) return over;
    }
  }

  let saidAt = Number.NEGATIVE_INFINITY;
  while (!stream.signal.aborted) {
    const wait = saidAt + FEED_HEARTBEAT_MS - performance.now();
    // Asked for before reading, so that nothing falls between.
    const next = tail.changed(stream.signal, Math.max(wait, 0));
    // Read before the ledger: whoever counts on it is on the safe side.
    const asOf = now();
    const end = await tail.end();
    // Another database, in the place of the one that was followed. It comes back for a snapshot.
    if (end.seq < position) return 'restored';
    const news = await changesAfter(reader, organizationId, position, end.seq);
    // Looked at behind the changes: whoever is revoked is told nothing that came after it.
    if (!(await isGood())) return 'revoked';
    // Looked at behind them too: what was archived before may be missing. It comes back for a snapshot.
    if (position < (await archivedUpTo(reader, organizationId))) return 'archived';
    position = news.position;
    const due = !news.more && performance.now() - saidAt >= FEED_HEARTBEAT_MS - 1;
    const events = news.changes.map(([change, entryId]) =>
      eventText('change', change, placeText(change.seq, entryId)),
    );
    if (due) {
      const keys = (await signingKeys.published()).map(({ kid }) => kid);
      const place = placeText(end.seq, end.id);
      events.push(eventText('position', { position, now: asOf, keys }, place));
    }
    if (news.changes.length > 0) told.tell(position, now());
    if (events.length > 0) {
      const over = await send(events.join(''));
      if (over !== undefined) return over;
      if (due) saidAt = performance.now();
    }
    await pause(FEED_PAUSE_MS);
    if (!news.more && !(await next)) return 'closed';
  }
  return 'gone';
}
