import { readConfig } from '../src/config.ts';
import { hashSecret } from '../src/secrets.ts';
import { start } from '../src/start.ts';
import { signAccessToken } from '../src/tokens.ts';
import { fillTokens, type Method, type Token } from './fill.ts';
import { idOf } from './rows.ts';
import type { Template } from './template.ts';

/** Tokens that one identity gets through its Token Auth. */
const TOKENS_PER_IDENTITY = 10;
const TTL_MS = 30 * 86_400_000;
/** Signatures that are made side by side. */
const SIGNED_AT_ONCE = 1_000;

/** A copy of a database with so many access tokens more, and the tokens: signed by the gateway's own key. */
export async function makeTokens(
  { copy, organization, secretKeyFile }: Template,
  from: string,
  count: number,
): Promise<{ readonly file: string; readonly tokens: readonly string[] }> {
  const file = copy(from, `tokens-${count}`);
  const config = readConfig({
    DATABASE_URL: `sqlite:${file}`,
    SECRET_KEY_FILE: secretKeyFile,
    LOG_LEVEL: 'error',
  });
  const running = await start(config);
  const { gateway } = running;
  const issuedAtMs = gateway.now();
  const expiresAtMs = issuedAtMs + TTL_MS;
  const methods: Method[] = [];
  const method = (i: number): Method => {
    const n = Math.floor(i / TOKENS_PER_IDENTITY);
    methods[n] ??= { id: gateway.newId(), identityId: gateway.newId(), issuedAtMs };
    return methods[n];
  };
  const sign = async (i: number): Promise<Token & { token: string }> => {
    const id = idOf('token', i);
    const { id: methodId, identityId } = method(i);
    const token = await signAccessToken(gateway, {
      ...{ id, subject: identityId, organization: organization.slug, permissions: [] },
      chain: [methodId, identityId, organization.id],
      ...{ issuedAtMs, expiresAtMs },
    });
    return { id, methodId, hash: hashSecret(token), token, issuedAtMs, expiresAtMs };
  };
  const signed: (Token & { token: string })[] = [];
  for (let i = 0; i < count; i += SIGNED_AT_ONCE) {
    const some = Array.from({ length: Math.min(SIGNED_AT_ONCE, count - i) }, (_, n) => sign(i + n));
    signed.push(...(await Promise.all(some)));
  }
  await running.close();
  fillTokens(file, organization, methods, signed);
  return { file, tokens: signed.map(({ token }) => token) };
}
