/** Remembers when a point was told what, until it acknowledges that. */
export interface Told {
  /** Says that everything up to this entry is on its way. */
  tell(seq: number, atMs: number): void;
  /** Up to which entries it was told when: each moment is of the entries behind the one before. */
  moments(): readonly Moment[];
  /** Forgets what is acknowledged. */
  acknowledged(seq: number): void;
}

export interface Moment {
  readonly seq: number;
  readonly atMs: number;
}

/** Moments that are remembered: an acknowledgement is one statement, whatever its number. */
export const MOMENTS_MAX = 8;

export function createTold(): Told {
  let moments: Moment[] = [];
  return {
    tell(seq, atMs) {
      const last = moments.at(-1);
      if (last !== undefined && seq <= last.seq) return;
      moments.push({ seq, atMs });
      // The two oldest become one, at the later of their moments.
      if (moments.length > MOMENTS_MAX) moments.shift();
    },
    moments: () => moments,
    acknowledged(seq) {
      moments = moments.filter((moment) => moment.seq > seq);
    },
  };
}
