import { StartError } from './start-error.ts';

/** Where the gateway is that a command speaks to, and by what it is let in, as the environment says. */
export interface ClientConfig {
  readonly url: string;
  /** What the address is from, for people. */
  readonly urlFrom: string;
  readonly token: string | undefined;
}

/** The name of every setting of these commands alone. */
export const clientSettingNames = ['GATEWAY_URL', 'GATEWAY_TOKEN'] as const;

/** Reads these settings, and loads nothing for it: such a command should be there at once. */
export function readClientConfig(
  env: Record<string, string | undefined> = process.env,
): ClientConfig {
  const given = (name: string) => (env[name]?.trim() === '' ? undefined : env[name]?.trim());
  const urlFrom = ['GATEWAY_URL', 'PUBLIC_URL'].find((name) => given(name) !== undefined);
  // A server on port 0 takes a free one, which nobody else knows.
  const port = given('PORT') === '0' ? undefined : given('PORT');
  return {
    url: given(urlFrom ?? '') ?? `http://localhost:${port ?? 8080}`,
    urlFrom: urlFrom ?? (port === undefined ? 'unless said' : 'PORT'),
    token: given('GATEWAY_TOKEN'),
  };
}

/** An address as it is called: without a slash at its end. Throws where none can be. */
export function checkedUrl(url: string, from: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || /[?#@]/.test(url)) {
    throw new StartError(
      `${from}: must be an address such as https://gateway.example.com, without user, query and fragment.`,
    );
  }
  return parsed.href.replace(/\/+$/, '');
}
