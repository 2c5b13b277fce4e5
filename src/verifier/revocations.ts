import type { Change, Snapshot } from './feed-events.ts';

/** On what a verdict stands, as far as changes concern it. */
export interface Standing {
  readonly chain: readonly string[];
  /** Whether it is a JWT that others signed. */
  readonly foreign: boolean;
  /** The entry of the ledger up to which all is in it. */
  readonly position: number;
}

/** What the feed has told so far. Each change counts from the moment it is applied. */
export interface Revocations {
  /** Up to where the ledger is known; undefined before the first snapshot. */
  position(): number | undefined;
  /** Puts everything that counts in place of what was known. */
  replace(snapshot: Snapshot): void;
  apply(change: Change): void;
  /** Everything up to this entry was told. */
  advance(position: number): void;
  /** Whether one of these rows is revoked: that is for good. */
  isRevoked(chain: readonly string[]): boolean;
  /** Whether one of these rows has changed, or limits where it is used from: only the gateway can tell. */
  isLimited(chain: readonly string[]): boolean;
  /** Whether something has happened since that a verdict may not know. */
  isOutdated(standing: Standing): boolean;
  /** How many revoked rows are known. */
  size(): number;
  /** Whether so much was told since the snapshot that a new one saves memory. */
  isCrowded(): boolean;
}

/** Rows whose changes are remembered above those of the snapshot. */
const CHANGES_MAX = 100_000;

/** Kinds on which JWTs stand that others signed, although these do not name them. */
const keyKinds = new Set(['jwk', 'jwk-validation', 'gateway-credential']);

export function createRevocations(): Revocations {
  let known: number | undefined;
  /** Each row with the entry that changed it last. */
  let revoked = new Map<string, number>();
  let limited = new Map<string, number>();
  /** Where everything, and where all JWTs of others, must be asked about anew. */
  let allChangedAt = 0;
  let foreignChangedAt = 0;
  let inSnapshot = 0;

  const changedAt = (id: string) => Math.max(revoked.get(id) ?? 0, limited.get(id) ?? 0);

  return {
    position: () => known,
    replace({ position, ...ids }) {
      known = position;
      allChangedAt = position;
      foreignChangedAt = position;
      revoked = new Map(ids.revoked.map((id) => [id, position]));
      limited = new Map(ids.limited.map((id) => [id, position]));
      inSnapshot = revoked.size + limited.size;
    },
    apply({ seq, type, id, kind }) {
      known = seq;
      if (id === null) {
        if (type === 'cut-off') foreignChangedAt = seq;
        else allChangedAt = seq;
        return;
      }
      (type === 'revoked' ? revoked : limited).set(id, seq);
      if (type === 'cut-off' || keyKinds.has(kind)) foreignChangedAt = seq;
    },
    advance(position) {
      known = Math.max(known ?? 0, position);
    },
    isRevoked: (chain) => chain.some((id) => revoked.has(id)),
    isLimited: (chain) => chain.some((id) => limited.has(id)),
    isOutdated: ({ chain, foreign, position }) =>
      position < allChangedAt ||
      (foreign && position < foreignChangedAt) ||
      chain.some((id) => position < changedAt(id)),
    size: () => revoked.size,
    isCrowded: () => revoked.size + limited.size - inSnapshot > CHANGES_MAX,
  };
}
