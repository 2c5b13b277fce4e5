import type { EventSourceMessage } from 'eventsource-parser';

/** What the feed tells of one entry of the ledger. */
export interface Change {
  /** The number of the entry. */
  readonly seq: number;
  /** When it was made: milliseconds since 1970, by the gateway's clock. */
  readonly at: number;
  /**
   * `revoked` for good; `used-up`; `limited`: something else about it has changed; `cut-off`: JWTs of
   * others, it is not said which.
   */
  readonly type: 'revoked' | 'used-up' | 'limited' | 'cut-off';
  /** The row that has changed; null where it is none. */
  readonly id: string | null;
  /** What the row is, such as `api-key`. */
  readonly kind: string;
}

/** All that counts at a position, where the feed begins. */
export interface Snapshot {
  readonly position: number;
  readonly revoked: readonly string[];
  readonly limited: readonly string[];
  /** Whether the rest follows. */
  readonly more: boolean;
}

/** Everything up to the position was told, at this time of the gateway. */
export interface Position {
  readonly position: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The ids of the keys with which the gateway's JWTs may be signed; older gateways do not say. */
  readonly keys?: readonly string[];
}

export type FeedEvent =
  | { readonly event: 'snapshot'; readonly data: Snapshot }
  | { readonly event: 'change'; readonly data: Change }
  | { readonly event: 'position'; readonly data: Position };

/** Reads an event; undefined where it is of a type that is not known here. Throws what cannot be read. */
export function readEvent({ event = '', data }: EventSourceMessage): FeedEvent | undefined {
  const known = Object.hasOwn(shapes, event) ? shapes[event as keyof typeof shapes] : undefined;
  if (known === undefined) return undefined;
  const read: unknown = JSON.parse(data);
  if (typeof read !== 'object' || read === null || !known(read as Record<string, unknown>)) {
    throw new Error(`An event of the feed has not the form of a ${event}`);
  }
  return { event, data: read } as FeedEvent;
}

const isNumber = (value: unknown) => Number.isSafeInteger(value);
const isIds = (value: unknown) =>
  Array.isArray(value) && value.every((id) => typeof id === 'string');

const shapes = {
  snapshot: (read: Record<string, unknown>) =>
    isNumber(read.position) && isIds(read.revoked) && isIds(read.limited),
  change: (read: Record<string, unknown>) =>
    isNumber(read.seq) && (typeof read.id === 'string' || read.id === null),
  position: (read: Record<string, unknown>) =>
    isNumber(read.position) && isNumber(read.now) && (read.keys === undefined || isIds(read.keys)),
};
