import { hashSecret } from '../../src/secrets.ts';
import type { Given } from '../contestant.ts';
import { type Names, newRequestId, openReplay } from '../replay.ts';

/** The part of the gateway's schema that the measured mutation needs, field by field the same. */
export const typeDefs = `
scalar DateTime

enum ErrorCode { ALREADY_REVOKED INVALID_INPUT NOT_FOUND PERMISSION_DENIED UNAUTHENTICATED }
enum RevocableKind { ACCESS_TOKEN API_KEY IDENTITY JWT_AUTH SERVICE_ACCOUNT_TOKEN }
enum RevocationReason {
  UNSPECIFIED KEY_COMPROMISE SUPERSEDED PRIVILEGE_WITHDRAWN CESSATION_OF_OPERATION
}

interface Node { id: ID! }
interface Error { code: ErrorCode! message: String! }
interface RevocationSuccess { revocation: Revocation! }

type Revocation implements Node {
  actor: String!
  actorId: ID
  comment: String
  id: ID!
  kind: RevocableKind!
  reason: RevocationReason!
  revokedAt: DateTime!
  target: String!
}

type AlreadyRevokedError implements Error { code: ErrorCode! message: String! revokedAt: DateTime! }
type InvalidInputError implements Error { code: ErrorCode! message: String! }
type NotFoundError implements Error { code: ErrorCode! message: String! }
type PermissionDeniedError implements Error { code: ErrorCode! message: String! }
type UnauthenticatedError implements Error { code: ErrorCode! message: String! }
type RevokeApiKeySuccess implements RevocationSuccess { revocation: Revocation! }

union RevokeApiKeyResult =
  | AlreadyRevokedError | InvalidInputError | NotFoundError | PermissionDeniedError
  | RevokeApiKeySuccess | UnauthenticatedError

input RevokeApiKeyInput {
  applicationId: ID!
  comment: String
  keyId: ID!
  reason: RevocationReason
}

type Query { node(id: ID!): Node }
type Mutation { revokeApiKey(input: RevokeApiKeyInput!): RevokeApiKeyResult! }
`;

interface Input {
  readonly applicationId: string;
  readonly keyId: string;
}

/** What a GraphQL server is told of a request: who asks. */
export const contextOf = (authorization: string | undefined): Names => ({
  callerHash: hashSecret(authorization?.slice('Bearer '.length) ?? ''),
  requestId: newRequestId(),
});

/** Resolvers that do what the floor does, in the same shared commits. */
export function openResolvers({ database, program }: Given) {
  const replay = openReplay(database, program);

  function revokeApiKey(_root: unknown, { input }: { input: Input }, caller: Names) {
    const names: Names = { ...caller, applicationId: input.applicationId, keyId: input.keyId };
    replay.read(names);
    return new Promise((resolve) => {
      replay.write(names, () =>
        resolve({
          __typename: 'RevokeApiKeySuccess',
          revocation: {
            id: names.newId0,
            kind: 'API_KEY',
            target: `${input.applicationId}/${input.keyId}`,
            revokedAt: new Date().toISOString(),
            reason: 'UNSPECIFIED',
            actor: 'operator',
            actorId: null,
            comment: null,
          },
        }),
      );
    });
  }

  return { Mutation: { revokeApiKey } };
}
