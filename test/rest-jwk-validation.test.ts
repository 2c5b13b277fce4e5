import { describe, expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { type Harness, openGateway } from './harness.ts';
import { listen } from './loopback.ts';
import { said } from './siblings.ts';

/** The siblings of the five paths: what a vendor's client makes and lists, in its own words. */

describe('the JWK for validation of a gateway credential', () => {
  const pathOf = (h: Harness, i: number, jwkName: string) => {
    const { projectName, username } = h.demo.jwkValidation[i] ?? {};
    return `/apiops/projects/${projectName}/credentials/${username}/jwk/validation/${jwkName}/`;
  };

  test.each(['null', '<x/>', '[1]', '{'])('is set whatever the body says: %s', async (payload) => {
    const h = await openGateway();
    const sent = { payload, headers: { 'content-type': 'application/json' } };
    const { status } = await h.rest('PUT', pathOf(h, 0, 'jwk-001'), h.demo.callers.admin, sent);
    expect(status).toBe(200);
  });

  test('is set again after it was removed, and environments are told', async () => {
    const told = await listen((response) => response.end());
    const { outboundAllow } = readConfig({
      OUTBOUND_ALLOW: '127.0.0.0/8',
    });
    const h = await openGateway({
      config: { outboundAllow },
      environments: [{ name: 'production', url: told.url }],
    });
    const path = pathOf(h, 0, 'jwk-001');
    await h.rest('DELETE', path.replace('jwk-001/', ''), h.demo.callers.admin);
    for (const url of [path, path.slice(0, -1)]) {
      expect(said(await h.rest('PUT', url, h.demo.callers.admin))).toEqual({
        status: 200,
        type: 'application/json',
        body: {
          success: true,
          deploymentResult: {
            success: true,
            message: 'Deployment completed successfully',
            environmentResults: [
              { environmentName: 'production', success: true, message: 'Deployed successfully' },
            ],
          },
        },
      });
    }
    const keys = told.received.map(({ body }) => JSON.parse(body).data.validationJwk?.kid ?? null);
    expect(keys).toEqual([null, 'jwk-001', 'jwk-001']);
    const live = (await h.rows()).filter(
      ({ kind, name, revoked_at_ms }) =>
        kind === 'jwk-validation' && name === 'jwk-001' && revoked_at_ms === null,
    );
    expect(live).toHaveLength(1);
  });

  test('refusals are in the words of the product', async () => {
    const h = await openGateway();
    const { admin, viewer, outsider } = h.demo.callers;
    const ask = async (path: string, token?: string) => {
      const { status, body } = said(await h.rest('PUT', path, token));
      return [status, body.error, body.error_description];
    };
    const path = pathOf(h, 0, 'jwk-001');
    expect(await ask(path)).toEqual([401, 'unauthorized_client', 'Invalid token']);
    expect(await ask(path, viewer)).toEqual([
      403,
      'forbidden',
      'You do not have permission to perform this action',
    ]);
    expect(await ask(path, outsider)).toEqual([
      404,
      'not_found',
      'Project(project-001) was not found or user does not have privilege to access it!',
    ]);
    expect(await ask(path.replace('username-001', 'nobody'), admin)).toEqual([
      400,
      'bad_request',
      'Credential (username: nobody) was not found!',
    ]);
    // Names are case-sensitive.
    expect(await ask(path.replace('jwk-001', 'JWK-001'), admin)).toEqual([
      400,
      'bad_request',
      'JWK (name: JWK-001) is not found!',
    ]);
  });
});
