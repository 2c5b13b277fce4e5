import { assignmentKind } from '../jwk-assignment.ts';

/** The assignment of a JWK to a gateway credential for validation and signing. */
export const jwkValidation = assignmentKind(
  'jwk-validation',
  'JWK for validation',
  'validation and signing',
);
