import type { Browser, Page } from 'playwright-core';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { type RunningDemo, startBrowser, startDemo } from './demo.ts';

/** GraphiQL as the demo serves it, in a real browser that has no other network. */

/** The operations that revoke, as the play button's menu names them, and what each tells. */
const revoking = {
  RevokeJwtAuth: 'RevokeJwtAuthSuccess',
  RevokeToken: 'RevokeTokenSuccess',
  RevokeApiKey: 'RevokeApiKeySuccess',
  RevokeServiceAccountToken: 'RevokeServiceAccountTokenSuccess',
  UnassignJwkValidation: 'UnassignJwkValidationSuccess',
};

let demo: RunningDemo;
let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
  return () => browser.close();
});

beforeAll(async () => {
  demo = await startDemo();
  return async () => expect(await demo.stop()).toBe(0);
});

interface Opened {
  readonly page: Page;
  /** What the page asked of any other place than the gateway. */
  readonly strange: readonly string[];
}

async function openGraphiql(): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  context.setDefaultTimeout(10_000);
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const strange: string[] = [];
  const { origin, host } = new URL(demo.url);
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin !== origin && url.protocol !== 'data:') strange.push(request.url());
  });
  page.on('websocket', (socket) => {
    if (new URL(socket.url()).host !== host) strange.push(socket.url());
  });
  page.on('pageerror', (error) => strange.push(String(error)));
  await page.goto(demo.url);
  return { page, strange };
}

const playButton = (page: Page) => page.getByRole('button', { name: /^Execute query/ });

/** Clicks the play button, then one of the operations that it offers. */
async function choose(page: Page, operation: string): Promise<void> {
  await playButton(page).click();
  await page.getByRole('menuitem', { name: operation, exact: true }).click();
}

const pane = (page: Page, name: string) => page.getByRole('region', { name, exact: true });

test('it opens with an operation for each of the five mutations, and with a token', async () => {
  const { page, strange } = await openGraphiql();
  expect(await page.title()).toBe('Revocation gateway');
  await pane(page, 'Operation Editor').getByText('mutation RevokeJwtAuth {').waitFor();
  await pane(page, 'Headers').getByText(`"Authorization": "Bearer ${demo.token}"`).waitFor();

  await playButton(page).click();
  const offered = await page.getByRole('menuitem').allInnerTexts();
  expect(offered).toEqual(['WhoAmI', ...Object.keys(revoking), 'WhatWasRevoked', 'WhatIsRevoked']);
  expect(strange).toEqual([]);
});

test('each of the five credentials is revoked by clicking', async () => {
  const { page, strange } = await openGraphiql();
  const sent: { operationName: string; query: string }[] = [];
  for (const [operation, success] of Object.entries(revoking)) {
    const [request] = await Promise.all([
      page.waitForRequest((asked) => asked.postData()?.includes(operation) ?? false),
      choose(page, operation),
    ]);
    sent.push(request.postDataJSON());
    await pane(page, 'Result Window').getByText(`"${success}"`).waitFor();
  }
  await choose(page, 'WhatWasRevoked');
  await pane(page, 'Result Window').getByText('"JWK_VALIDATION"').waitFor();
  expect(strange).toEqual([]);

  // The gateway agrees: what was clicked cannot be done again.
  for (const { operationName, query } of sent) {
    const { data } = await ask({ operationName, query });
    expect(Object.values(data)).toEqual([
      expect.objectContaining({ __typename: 'AlreadyRevokedError' }),
    ]);
  }
  const { data } = await ask({ query: '{ me { revocations { edges { node { kind } } } } }' });
  expect(data).toEqual({
    me: {
      revocations: {
        edges: [
          'JWK_VALIDATION',
          'SERVICE_ACCOUNT_TOKEN',
          'API_KEY',
          'ACCESS_TOKEN',
          'JWT_AUTH',
        ].map((kind) => ({ node: { kind } })),
      },
    },
  });
});

test('a reload shows the same operations and the same token', async () => {
  const { page, strange } = await openGraphiql();
  await pane(page, 'Operation Editor').getByText('mutation RevokeJwtAuth {').waitFor();
  await page.reload();
  await pane(page, 'Operation Editor').getByText('mutation RevokeJwtAuth {').waitFor();
  await choose(page, 'WhoAmI');
  await pane(page, 'Result Window').getByText('"acme"').waitFor();
  expect(await page.getByRole('tab', { name: 'WhoAmI' }).count()).toBe(1);
  expect(strange).toEqual([]);
});

test('what is revoked elsewhere is shown as it happens', async () => {
  const { page, strange } = await openGraphiql();
  const begun = page.waitForResponse((response) =>
    (response.headers()['content-type'] ?? '').startsWith('text/event-stream'),
  );
  await choose(page, 'WhatIsRevoked');
  await begun;
  const { data } = await ask({
    query: `mutation { revokeServiceAccountToken(input: {
      serviceAccountSlug: "service-account-001", tokenSlug: "token-001"
    }) { __typename } }`,
  });
  expect(data).toEqual({
    revokeServiceAccountToken: { __typename: 'RevokeServiceAccountTokenSuccess' },
  });
  await pane(page, 'Result Window').getByText('"service-account-001/token-001"').waitFor();
  expect(strange).toEqual([]);
});

/** Asks the gateway itself, as any other client does. */
async function ask(body: object): Promise<{ data: Record<string, unknown> }> {
  const response = await fetch(demo.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${demo.token}` },
    body: JSON.stringify(body),
  });
  return (await response.json()) as { data: Record<string, unknown> };
}
