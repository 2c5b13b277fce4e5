import type { Browser, Page, Request } from 'playwright-core';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { type RunningDemo, startBrowser, startDemo } from './demo.ts';

/** The page that tries the REST surface out, as the demo serves it, in a real browser without network. */

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
  /** What the page asked of any other place, what it was kept from, and what it threw. */
  readonly strange: readonly string[];
}

async function openApiPage(): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 1200 } });
  context.setDefaultTimeout(20_000);
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const strange: string[] = [];
  const { origin } = new URL(demo.url);
  const elsewhere = (request: Request) => {
    const { protocol, origin: asked } = new URL(request.url());
    return asked !== origin && protocol !== 'data:';
  };
  page.on('request', (request) => {
    if (elsewhere(request)) strange.push(request.url());
  });
  page.on('websocket', (socket) => strange.push(socket.url()));
  page.on('pageerror', (error) => strange.push(String(error)));
  // What the Content-Security-Policy forbids is said here.
  page.on('console', (message) => {
    if (message.type() === 'error') strange.push(message.text());
  });
  await page.goto(`${origin}/docs/api`);
  await page.getByText('Revoke an access token').waitFor();
  return { page, strange };
}

/** Opens an operation and sends its example, as it stands there; gives the part of the page. */
async function tryOut(page: Page, operationId: string) {
  const operation = page.locator(`[id$="-${operationId}"]`);
  await operation.locator('.opblock-summary-control').click();
  await operation.getByRole('button', { name: 'Execute' }).click();
  const live = operation.locator('.live-responses-table .response');
  await live.waitFor();
  return { operation, live };
}

test('it lists every operation that the gateway describes, and asks nobody else', async () => {
  const { page, strange } = await openApiPage();
  expect(await page.title()).toBe('Revocation gateway');
  const { origin } = new URL(demo.url);
  const document = await (await fetch(`${origin}/openapi.json`)).json();
  const described = Object.values<Record<string, { summary?: string }>>(document.paths).flatMap(
    (item) => Object.values(item).map(({ summary }) => summary),
  );
  const shown = await page.locator('.opblock-summary-description').allInnerTexts();
  expect(shown.toSorted()).toEqual(described.toSorted());
  expect(strange).toEqual([]);
});

test('a token is revoked by clicking, and is gone', async () => {
  const { page, strange } = await openApiPage();
  const { live } = await tryOut(page, 'revokeToken');
  await live.getByText('Successfully revoked access token').waitFor();
  expect(await live.locator('.response-col_status').innerText()).toMatch(/^200/);
  expect(await live.getByText('revocation-id').count()).toBeGreaterThan(0);
  expect(strange).toEqual([]);

  const { origin } = new URL(demo.url);
  const again = await fetch(
    `${origin}/api/v1/auth/token-auth/tokens/01900000-0000-7000-8000-000000000023/revoke`,
    { method: 'POST', headers: { authorization: `Bearer ${demo.token}` } },
  );
  expect(again.status).toBe(404);
});

test('a key is made from a body, which the page shows', async () => {
  const { page, strange } = await openApiPage();
  const { live } = await tryOut(page, 'createApiKey');
  await live.getByText('"rgw_key_').waitFor();
  expect(await live.locator('.response-col_status').innerText()).toMatch(/^201/);
  expect(strange).toEqual([]);
});
