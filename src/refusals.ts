/**
 * A refusal is an expected no. It is a value: operations return it, the ledger records it, and each
 * surface words it. Everything thrown is a fault.
 */
export abstract class Refusal {
  /** Public and stable: clients switch on it. */
  abstract readonly code: string;
  abstract readonly message: string;
}

/** The class of a refusal, with what the graph needs to show it. */
export interface RefusalClass<R extends Refusal = Refusal> {
  // biome-ignore lint/suspicious/noExplicitAny: a class is matched by what it makes, whatever it takes.
  new (...args: any[]): R;
  readonly code: string;
  /** What it means, for the schema's readers. */
  readonly description: string;
}

/** Why a caller is not known. The texts say what to do, and nothing of what exists. */
const unauthenticatedTexts = {
  missing: 'Authentication is required: send "Authorization: Bearer <token>".',
  scheme: 'The Authorization header must be "Bearer <token>".',
  empty: 'The Authorization header carries no token.',
  malformed: 'The token is malformed.',
  algorithm: 'The token is signed with an algorithm that is not accepted.',
  signature: 'The signature of the token is not valid.',
  claims: 'The claims of the token are not accepted here.',
  expired: 'The token has expired.',
  revoked: 'The token has been revoked.',
  methodRevoked: 'The auth method that issued the token has been revoked.',
  ownerRevoked: 'The owner of the token has been revoked.',
  cutOff: 'Tokens like this one have been revoked.',
  usedUp: 'The token has been used as often as it may be.',
  wrongAddress: 'The token may not be used from this address.',
  unknown: 'The token is not known.',
};

export type UnauthenticatedReason = keyof typeof unauthenticatedTexts;

export const unauthenticatedReasons = Object.keys(unauthenticatedTexts) as UnauthenticatedReason[];

/** The caller did not prove who it is. */
export class Unauthenticated extends Refusal {
  static readonly code = 'UNAUTHENTICATED';
  static readonly description = 'The caller did not prove who it is.';
  readonly code = Unauthenticated.code;
  readonly reason: UnauthenticatedReason;
  /** Whether what was presented looks like a JWT. */
  readonly jwt: boolean;

  constructor(reason: UnauthenticatedReason, jwt = false) {
    super();
    this.reason = reason;
    this.jwt = jwt;
  }

  get message(): string {
    return unauthenticatedTexts[this.reason];
  }
}

/** One thing that is wrong with the input. */
export interface InputIssue {
  /** The input field. */
  path: string;
  message: string;
}

/** The input cannot name anything, whatever the database holds. */
export class InvalidInput extends Refusal {
  static readonly code = 'INVALID_INPUT';
  static readonly description = 'The input cannot name anything, whatever the database holds.';
  readonly code = InvalidInput.code;
  readonly message = 'The input is not valid.';
  readonly issues: readonly InputIssue[];

  constructor(issues: readonly InputIssue[]) {
    super();
    this.issues = issues;
  }
}

/** The caller's organization has no such thing. Says nothing about other organizations. */
export class NotFound extends Refusal {
  static readonly code = 'NOT_FOUND';
  static readonly description =
    "The caller's organization has no such thing. Nothing is said of other organizations.";
  readonly code = NotFound.code;
  /** What was looked for: `identity`, `project`, … */
  readonly what: string;

  constructor(what: string) {
    super();
    this.what = what;
  }

  get message(): string {
    return `No such ${this.what} in your organization.`;
  }
}

/** The caller is known, and may not do this. */
export class PermissionDenied extends Refusal {
  static readonly code = 'PERMISSION_DENIED';
  static readonly description = 'The caller is known, and may not do this.';
  readonly code = PermissionDenied.code;
  readonly missingPermissions: readonly string[];

  constructor(missingPermissions: readonly string[]) {
    super();
    this.missingPermissions = missingPermissions;
  }

  get message(): string {
    return `You lack the permission ${this.missingPermissions.join(' and ')}.`;
  }
}

/** It was revoked before; nothing has changed. */
export class AlreadyRevoked extends Refusal {
  static readonly code = 'ALREADY_REVOKED';
  static readonly description = 'It was revoked before; nothing has changed.';
  readonly code = AlreadyRevoked.code;
  readonly message = 'This has been revoked already.';
  readonly revokedAtMs: number;

  constructor(revokedAtMs: number) {
    super();
    this.revokedAtMs = revokedAtMs;
  }
}

/** What it would belong to is revoked or has expired: nothing new comes of it. */
export class OwnerRevoked extends Refusal {
  static readonly code = 'OWNER_REVOKED';
  static readonly description =
    'What it would belong to, or something above that, is revoked or has expired.';
  readonly code = OwnerRevoked.code;
  readonly message = 'What this would belong to is revoked or has expired.';
}

/** The name is in use, and names are never given twice. */
export class NameTaken extends Refusal {
  static readonly code = 'NAME_TAKEN';
  static readonly description = 'The name is in use; names are never given twice.';
  readonly code = NameTaken.code;
  readonly message = 'This name is taken: choose another.';
}

/** There are as many live targets of the kind as there may be: each revocation writes a row for each. */
export class TooManyTargets extends Refusal {
  static readonly code = 'TOO_MANY_TARGETS';
  static readonly description =
    'There are as many webhooks, enforcement points or environments as there may be.';
  readonly code = TooManyTargets.code;
  /** `webhook`, `environment`, … */
  readonly kind: string;
  readonly count: number;

  constructor(kind: string, count: number) {
    super();
    this.kind = kind;
    this.count = count;
  }

  get message(): string {
    return `There are ${this.count} ${this.kind.replaceAll('-', ' ')}s already: remove one first.`;
  }
}
