import { describe, expect, test } from 'vitest';
import { callers } from '../src/authenticate.ts';
import { authMethods } from '../src/standing.ts';
import { credentialOf, whoIs } from './callers.ts';
import { ask } from './creation.ts';
import { creationOf, creations } from './creations.ts';
import { type Harness, openGateway } from './harness.ts';
import { mutationOf, restPath } from './kinds.ts';
import { lives, verdict } from './lives.ts';

/** What is made works, until it or anything above it is revoked, and then not once more. */

type Revoke = (h: Harness, kind: string, input: Record<string, string>) => Promise<boolean>;

/** Each surface; whether it has revoked. */
const surfaces: Record<string, Revoke> = {
  GraphQL: async (h, kind, input) => {
    const { data } = await h.graphql<{ result: object }>(
      mutationOf(credentialOf(kind)),
      { input },
      h.demo.callers.admin,
    );
    return 'revocation' in data.result;
  },
  REST: async (h, kind, input) => {
    const credential = credentialOf(kind);
    const { method = '' } = credential.rest ?? {};
    const { headers } = await h.rest(method, restPath(credential, input), h.demo.callers.admin);
    return headers['revocation-id'] !== undefined;
  },
};

/** Which revocations end what, through which surface. */
const endings = lives.flatMap((life) =>
  (kindsOf[life.name] ?? []).map((kind) => ({ life, kind })),
);
