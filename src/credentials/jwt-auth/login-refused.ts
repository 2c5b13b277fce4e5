/** Why somebody cannot log in, in Infisical's words. */
export class LoginRefused {
  readonly status: 401 | 403 | 404;
  readonly message: string;

  constructor(status: LoginRefused['status'], message: string) {
    this.status = status;
    this.message = message;
  }

  /** What Infisical calls it. */
  get error(): string {
    return errors[this.status];
  }
}

const errors = { 401: 'UnauthorizedError', 403: 'ForbiddenError', 404: 'NotFound' };

/** The JWT does not say what it should, or nobody can know. */
export const denied = (why: string) => new LoginRefused(401, `Access denied: ${why}`);

/** The JWT says something else than it should. */
export const forbidden = (why: string) => new LoginRefused(403, `Access denied: ${why}`);
