/** Something that the gateway depends on does not answer for now: asking again later may help. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/** What `Retry-After` says with such an answer, in seconds. */
export const RETRY_AFTER_S = 1;
