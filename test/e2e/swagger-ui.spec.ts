import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Browser, chromium, type Page } from 'playwright-core';
import { TestApp } from '../support/test-app.js';
import { fromEnvironment } from '../support/environment.js';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-sync'];

let application: TestApp;
let browser: Browser;
let page: Page;
const faults: string[] = [];

beforeAll(async () => {
  application = await TestApp.start();
  browser = await chromium.launch({ executablePath: fromEnvironment('TEST_CHROMIUM'), args: FLAGS });
  page = await browser.newPage();
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

describe('Swagger UI', () => {
  it('shows every route under our own security headers, without a single complaint of the browser', async () => {
    const answer = await page.goto(`${application.url}/api/docs`);
    expect(answer?.headers()['content-security-policy']).toContain("script-src 'self'");
    await page.waitForSelector('.opblock');
    const shown = await page.locator('.opblock').count();
    const document = (await (await fetch(`${application.url}/api/docs-json`)).json()) as {
      paths: Record<string, object>;
    };
    const operations = Object.values(document.paths).flatMap((methods) => Object.keys(methods));
    expect(shown).toBe(operations.length);
    expect(faults).toEqual([]);
  });

  it('tries a route out', async () => {
    const operation = page.locator('.opblock', { hasText: '/api/health/live' });
    await operation.locator('.opblock-summary').click();
    await operation.getByRole('button', { name: 'Try it out' }).click();
    await operation.getByRole('button', { name: 'Execute' }).click();
    await operation.locator('.live-responses-table .response-col_status', { hasText: '200' }).first().waitFor();
    expect(faults).toEqual([]);
  });
});
