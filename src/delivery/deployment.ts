import type { Attempt } from './first-attempts.ts';

/** What became of bringing a credential to the environments of its project, in Apinizer's words. */
export interface Deployment {
  readonly success: boolean;
  readonly message: string;
  readonly environmentResults: readonly {
    readonly environmentName: string;
    readonly success: boolean;
    readonly message: string;
  }[];
}

/** The vendor documents success only; a failure names the environment and says why. */
export function deploymentOf(attempts: readonly Attempt[]): Deployment {
  const failed = attempts.filter((attempt) => !attempt.success).length;
  return {
    success: failed === 0,
    message:
      failed === 0
        ? 'Deployment completed successfully'
        : `Deployment failed in ${failed} of ${attempts.length} environments`,
    environmentResults: attempts.map(({ target, success, error }) => ({
      environmentName: target,
      success,
      message: error ?? 'Deployed successfully',
    })),
  };
}
