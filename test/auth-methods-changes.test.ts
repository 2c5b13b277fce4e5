import { describe, expect, test } from 'vitest';
import { renameToken } from '../src/credentials/access-token/rename.ts';
import { accessTokenDetails, tokensOf } from '../src/credentials/access-token/details.ts';
import { callers, standingOf, tokenWith, whoIs } from './callers.ts';
import { openGateway } from './harness.ts';
import {
  accessTokenOf,
  addIdentity,
  ask,
  expectDone,
  newToken,
  openReaching,
  refusedLogIn,
  withJwtAuth,
  withTokenAuth,
} from './identities.ts';
import { makeKey, sign } from './issuers.ts';

/** Auth methods over time: one at once, none that comes back, nobody who gains by one. */

const jwks = { configurationType: 'JWKS', jwksUrl: 'https://issuer.example/' };
const already = { code: 'AUTH_METHOD_ALREADY_CONFIGURED' };
