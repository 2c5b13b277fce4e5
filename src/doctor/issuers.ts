import type { Config } from '../config.ts';
import { createOutbound } from '../outbound.ts';
import { JWKS_TIMEOUT_MS } from '../verify/remote-keys.ts';
import { type Finding, ok, problem } from './finding.ts';

/** Whether the keys of trusted issuers can be read from here, as the gateway reads them. */
export async function checkIssuers({
  trustedIssuers,
  outboundAllow,
}: Pick<Config, 'trustedIssuers' | 'outboundAllow'>): Promise<Finding[]> {
  const check = 'TRUSTED_ISSUERS';
  if (trustedIssuers.length === 0) return [ok(check, 'none')];
  const outbound = createOutbound(outboundAllow);
  return await Promise.all(
    trustedIssuers.map(async ({ issuer, jwksUrl }): Promise<Finding> => {
      if (jwksUrl === undefined) return ok(check, `${issuer}: its keys are in the setting`);
      const remedy =
        'correct jwksUrl, or let the gateway reach it (OUTBOUND_ALLOW, if it is not public)';
      try {
        const signal = AbortSignal.timeout(JWKS_TIMEOUT_MS);
        const response = await outbound(jwksUrl, { signal });
        if (!response.ok) throw new Error(`it answers ${response.status}`);
        const { keys } = (await response.json()) as { keys?: unknown };
        if (!Array.isArray(keys) || keys.length === 0) throw new Error('it has no keys');
        return ok(check, `${issuer}: ${keys.length} keys at ${jwksUrl}`);
      } catch (error) {
        const what = `${issuer}: ${jwksUrl} cannot be read (${(error as Error).message})`;
        return problem(check, what, `${remedy}; until then its tokens are answered with 503`);
      }
    }),
  );
}
