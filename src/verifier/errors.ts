/**
 * - `unauthorized`: the gateway does not take the token for that of an enforcement point
 * - `not-a-gateway`: what answers at the URL is no gateway, or one that has no feed
 * - `unreachable`: nothing answers, or with a fault
 * - `closed`: the verifier was closed
 */
export type VerifierErrorCode = 'unauthorized' | 'not-a-gateway' | 'unreachable' | 'closed';

/** What keeps a verifier from following its gateway. */
export class VerifierError extends Error {
  override readonly name = 'VerifierError';
  readonly code: VerifierErrorCode;

  constructor(code: VerifierErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** Whether asking again can help. */
  get passes(): boolean {
    return this.code === 'unreachable';
  }
}
