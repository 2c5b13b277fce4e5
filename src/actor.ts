import type { ForeignToken } from './cut-offs.ts';

/** An authenticated caller. */
export interface Actor {
  /** The credential that was presented, where this gateway issued it. */
  readonly credentialId: string | null;
  /** Who it is, as the ledger names it. */
  readonly name: string;
  readonly organizationId: string;
  readonly organizationSlug: string;
  /** Permissions, some limited by `@project`, and Kaiten scopes. */
  readonly permissions: readonly string[];
  /** The JWT that was presented, where a trusted issuer issued it. */
  readonly foreign?: ForeignToken;
}
