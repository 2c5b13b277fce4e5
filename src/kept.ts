/**
 * Shares an outcome among those who ask at once, and keeps a good one for a while: asking often costs no
 * more than that. What has failed is tried again by whoever asks next.
 */
export function kept<T>(ms: number, work: () => Promise<T>): () => Promise<T> {
  let outcome: Promise<T> | undefined;
  let untilMs = Number.POSITIVE_INFINITY;
  return () => {
    if (outcome !== undefined && performance.now() < untilMs) return outcome;
    untilMs = Number.POSITIVE_INFINITY;
    const asked = work();
    outcome = asked;
    asked.then(
      () => {
        untilMs = performance.now() + ms;
      },
      () => {
        outcome = undefined;
      },
    );
    return asked;
  };
}
