import { type Changed, type OfTarget, onTarget, setTarget } from './operation.ts';
import { WrongKind } from './refusals.ts';

/** How long the old secret signs along, unless said. */
export const OVERLAP_DEFAULT_S = 86_400;
/** The longest that it can. */
export const OVERLAP_MAX_S = 2_592_000;

export interface Rotation extends OfTarget {
  /** The new secret, sealed. */
  readonly secretJwe: string;
  readonly overlapS: number;
}

/** Gives a target another secret. The one before signs along for a while; one before that no more. */
export const rotateSecret = onTarget<Rotation, Changed, WrongKind>({
  action: 'rotate',
  refusals: [WrongKind],

  async change(tx, target, { secretJwe, overlapS }, { atMs }) {
    if (target.kind === 'enforcement-point') {
      return new WrongKind(
        'Nothing that an enforcement point is told is signed: it has a token. Make another point, and revoke this one by revokeEnforcementPoint.',
      );
    }
    return await setTarget(tx, target, {
      secret_jwe: secretJwe,
      previous_secret_jwe: overlapS === 0 ? null : target.secret_jwe,
      previous_secret_until_ms: overlapS === 0 ? null : atMs + overlapS * 1000,
    });
  },
});
