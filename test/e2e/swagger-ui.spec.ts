import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Browser, chromium, type Page } from 'playwright-core';
import { request } from '../support/rest.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';
import { freePort } from '../../tools/stack/ports.js';
import { fromEnvironment } from '../support/environment.js';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-sync'];

let application: TestApp;
let browser: Browser;
let page: Page;
const faults: string[] = [];

beforeAll(async () => {
  const port = await freePort();
  const PUBLIC_URL = `http://127.0.0.1:${String(port)}`;
  application = await TestApp.start({ env: { PORT: String(port), PUBLIC_URL } });
  browser = await chromium.launch({ executablePath: fromEnvironment('TEST_CHROMIUM'), args: FLAGS });
  page = await browser.newPage({ viewport: { width: 1280, height: 4_000 } });
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') {
      faults.push(message.text());
    }
  });
}, 60_000);

afterAll(async () => {
  await browser.close();
  await application.stop();
});

const ROWS = `[...document.querySelectorAll('.opblock-summary')].map((row) =>
  row.querySelector('.opblock-summary-method').textContent + ' ' + row.querySelector('[data-path]').dataset.path)`;

/** Half a page on, or back to the top from the end: a slow machine draws some rows only after they were passed. */
const READ_ON = `(() => {
  const isEnd = scrollY + innerHeight >= document.documentElement.scrollHeight - 1;
  scrollTo(0, isEnd ? 0 : scrollY + innerHeight / 2);
  return new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => drawn())));
})()`;

/** With as many rows as we have, Swagger UI draws those alone that are in view: so the page is read as a person reads it. */
async function readUntil(isEnough: (shown: ReadonlySet<string>) => boolean): Promise<Set<string>> {
  const shown = new Set<string>();
  await page.evaluate('scrollTo(0, 0)');
  await eventually('enough of the page was read', async () => {
    const rows = await page.evaluate<string[]>(ROWS);
    rows.forEach((row) => shown.add(row));
    const isRead = isEnough(shown);
    if (!isRead) {
      await page.evaluate(READ_ON);
    }
    return isRead;
  });
  return shown;
}

describe('Swagger UI', () => {
  it('shows every route under our own security headers, without a single complaint of the browser', async () => {
    const answer = await page.goto(`${application.url}/api/docs`);
    expect(answer?.headers()['content-security-policy']).toContain("script-src 'self'");
    await page.waitForSelector('.opblock');
    const document = (await (await fetch(`${application.url}/api/docs-json`)).json()) as {
      paths: Record<string, object>;
    };
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const shown = await readUntil(({ size }) => size >= operations.length);
    expect([...shown].sort()).toEqual(operations.sort());
    expect(faults).toEqual([]);
  });

  it('tries a route out', async () => {
    const operation = page.locator('.opblock', { hasText: '/api/health/live' });
    const tryOut = operation.getByRole('button', { name: 'Try it out' });
    // Rows are drawn anew while the page comes to rest: one may go as it is clicked.
    await eventually('the operation is open', async () => {
      await readUntil((shown) => shown.has('GET /api/health/live'));
      const opened = operation.locator('.opblock-summary').click({ timeout: 3_000 });
      return opened
        .then(() => tryOut.waitFor({ timeout: 3_000 }))
        .then(
          () => true,
          () => false,
        );
    });
    await tryOut.click();
    await operation.getByRole('button', { name: 'Execute' }).click();
    await operation.locator('.live-responses-table .response-col_status', { hasText: '200' }).first().waitFor();
    expect(faults).toEqual([]);
  });

  it('follows its quick start: the login of the demo account is filled in', async () => {
    const demo = { email: 'demo@mortise.example', password: 'knock-three-times-please' };
    await request(application.url, 'POST', '/api/v1/auth/register', { body: demo });
    const link = page.locator('.info').getByRole('link', { name: 'POST /api/v1/auth/login' });
    // A tab of its own, as Swagger UI opens it.
    const [tab] = await Promise.all([page.waitForEvent('popup'), link.click()]);
    const operation = tab.locator('#operations-Authentication-Auth_login');
    await operation.getByRole('button', { name: 'Try it out' }).click();
    await operation.getByRole('button', { name: 'Execute' }).click();
    await operation.locator('.live-responses-table .response-col_status', { hasText: '200' }).first().waitFor();
    expect(await operation.locator('.live-responses-table').textContent()).toContain('accessToken');
    await tab.close();
    expect(faults).toEqual([]);
  });
});

describe('The type of a refusal', () => {
  it('is an address of this installation that explains it: to people as a page, to programs as JSON', async () => {
    const { body } = await request<{ type: string }>(application.url, 'GET', '/api/v1/users/me');
    expect(body.type).toBe(`${application.url}/problems/unauthenticated`);
    const answer = await page.goto(body.type);
    expect(answer?.headers()['content-type']).toBe('text/html; charset=utf-8');
    expect(answer?.headers().vary).toContain('Accept');
    expect(await page.locator('h1').textContent()).toBe('unauthenticated');
    expect(await page.locator('dd').count()).toBe(3);
    await page.getByRole('link', { name: 'All problems' }).click();
    await page.getByRole('link', { name: 'device_offline' }).click();
    expect(await page.locator('h1').textContent()).toBe('device_offline');
    expect(faults).toEqual([]);

    const described = await request(application.url, 'GET', '/problems/device_offline');
    expect(described).toMatchObject({
      status: 200,
      body: { code: 'device_offline', status: 409, title: 'Conflict', type: page.url() },
    });
    expect(Object.keys(described.body)).toEqual(['type', 'code', 'status', 'title', 'meaning', 'cause', 'cure']);
    const { body: list } = await request<{ items: { code: string; type: string }[] }>(
      application.url,
      'GET',
      '/problems',
    );
    expect(list.items.filter(({ code, type }) => type !== `${application.url}/problems/${code}`)).toEqual([]);
    expect(list.items.length).toBeGreaterThan(70);
  });

  it('is refused like any other address where no refusal has the code', async () => {
    for (const code of ['nothing_like_it', '__proto__', '%3Cscript%3E']) {
      const { status, body } = await request(application.url, 'GET', `/problems/${code}`, {
        headers: { accept: 'text/html' },
      });
      expect([status, body.code]).toEqual([404, 'not_found']);
    }
  });
});
