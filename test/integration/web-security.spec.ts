/** What browsers and finders of weaknesses are told, and what is heard of them. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Browser, chromium } from 'playwright-core';
import { fromEnvironment } from '../support/environment.js';
import { request } from '../support/rest.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

const POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; frame-ancestors https://portal.example.com;";
const PATH = '/api/v1/csp-reports';

let app: TestApp;
let browser: Browser;

beforeAll(async () => {
  app = await TestApp.start({
    env: {
      ROLES: 'api',
      PUBLIC_URL: 'https://doors.example.com/',
      CONTENT_SECURITY_POLICY: POLICY,
      SECURITY_CONTACT: 'mailto:security@example.com,https://example.com/report',
    },
  });
  browser = await chromium.launch({ executablePath: fromEnvironment('TEST_CHROMIUM'), args: ['--no-sandbox'] });
}, 60_000);

afterAll(async () => {
  await browser.close();
  await app.stop();
});

const seen = (directive: string): Promise<number> =>
  app.metric(`mortise_csp_violations_total{directive="${directive}"}`);

function send(body: unknown, type = 'application/reports+json'): Promise<{ status: number; code?: unknown }> {
  return request(app.url, 'POST', PATH, { body, headers: { 'content-type': type } }).then(
    ({ status, body: answer }) => ({
      status,
      ...((answer as object | undefined) ? { code: answer.code } : {}),
    }),
  );
}

describe('The content security policy', () => {
  it('is the one that the operator sets, and says where to report', async () => {
    const { headers } = await request(app.url, 'GET', '/problems');
    expect(headers.get('content-security-policy')).toBe(`${POLICY.slice(0, -1)}; report-uri ${PATH}`);
  });

  it('is kept by a browser, which reports what it forbade', async () => {
    const page = await browser.newPage();
    await page.goto(`${app.url}/problems`);
    // Text, because the compiler of tests knows no browser.
    await page.evaluate(
      "document.body.append(Object.assign(new Image(), { src: 'https://tracker.example/pixel.png?secret=1' }))",
    );
    await eventually('the violation is counted', async () => (await seen('img-src')) === 1);
    await page.close();
  });
});

describe('Reports of violations', () => {
  it('are taken of old and new browsers, some at a time, by names that there are', async () => {
    const report = (effectiveDirective: unknown): object => ({
      type: 'csp-violation',
      body: { effectiveDirective, blockedURL: 'inline' },
    });
    expect(await send({ 'csp-report': { 'violated-directive': 'font-src https:' } }, 'application/csp-report')).toEqual(
      { status: 204 },
    );
    expect(await seen('font-src')).toBe(1);
    expect(await send([report('script-src-elem'), report('made-up'), report(7), { type: 'deprecation' }])).toEqual({
      status: 204,
    });
    expect([await seen('script-src-elem'), await seen('other')]).toEqual([1, 2]);
    await send(Array.from({ length: 60 }, () => report('media-src')));
    expect(await seen('media-src')).toBe(20);
  });

  it.each(['null', '7', '"text"', '[[]]', '{', '{"csp-report":7}', ''])(
    'that are none are dropped: %s',
    async (body) => {
      expect((await send(body)).status).toBe(204);
    },
  );

  it('have a size, and no other route takes them', async () => {
    expect(await send('x'.repeat(16_385))).toEqual({ status: 413, code: 'body_too_large' });
    const { status } = await request(app.url, 'POST', '/api/v1/auth/login', {
      body: '[]',
      headers: { 'content-type': 'application/csp-report' },
    });
    expect(status).toBe(415);
    expect((await send('{}', 'text/plain')).status).toBe(415);
  });
});

describe('/.well-known/security.txt', () => {
  it('says where to report a weakness (RFC 9116)', async () => {
    const answer = await fetch(`${app.url}/.well-known/security.txt`);
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    const lines = (await answer.text()).split('\r\n');
    expect(lines).toEqual([
      'Contact: mailto:security@example.com',
      'Contact: https://example.com/report',
      expect.stringMatching(/^Expires: \d{4}-\d\d-\d\dT00:00:00\.000Z$/),
      'Canonical: https://doors.example.com/.well-known/security.txt',
      '',
    ]);
    const days = (Date.parse(lines[2]?.slice('Expires: '.length) ?? '') - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(88);
    expect(days).toBeLessThan(365);
  });
});
