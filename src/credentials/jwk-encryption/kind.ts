import { assignmentKind } from '../jwk-assignment.ts';

/** The assignment of a JWK to a gateway credential for encryption. */
export const jwkEncryption = assignmentKind('jwk-encryption', 'JWK for encryption', 'encryption');
