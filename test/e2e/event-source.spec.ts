/**
 * A page of a real browser follows the feed by `EventSource`, as docs/realtime.md shows: with a ticket, which is good once. Its
 * stream is cut, and again; it goes on from the last event that it has, and hears every event once, also when its access token
 * has expired meanwhile. It stops when its session ends.
 * Seen to fail: with a page that kept its first access token.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { type Browser, chromium, type Page } from 'playwright-core';
import { EventStreamRegistry } from '../../src/features/realtime/streams/event-stream-registry.js';
import { tokenFor } from '../support/access-tokens.js';
import { type Account, createAccount, PASSWORD } from '../support/accounts.fixture.js';
import { registerDevice } from '../support/devices.fixture.js';
import { fromEnvironment } from '../support/environment.js';
import { request } from '../support/rest.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

let application: TestApp;
let browser: Browser;
let page: Page;
let ada: Account;
/** What the page was answered, stream by stream and request by request. */
const answers: string[] = [];

beforeAll(async () => {
  application = await TestApp.start();
  ada = await createAccount(application.url, 'ada');
  browser = await chromium.launch({ executablePath: fromEnvironment('TEST_CHROMIUM'), args: ['--no-sandbox'] });
  page = await browser.newPage();
  page.on('response', (response) => {
    const { pathname } = new URL(response.url());
    answers.push(`${pathname.replace('/api/v1/', '')} ${String(response.status())}`);
  });
  await page.goto(`${application.url}/problems`);
}, 60_000);

afterAll(async () => {
  await browser.close();
  await application.stop();
});

/** What the page heard: the devices that were registered. */
const heard = (): Promise<string[]> => page.evaluate('window.heard');
const streams = (): EventStreamRegistry => application.get(EventStreamRegistry);

/** As a network does: without a word. */
function cut(): void {
  const [open] = streams().all();
  (open?.stream as unknown as { raw: { destroy(): void } }).raw.destroy();
}

/** Its pauses are as short as they may be, and counted. */
const PREPARED = `
  window.heard = []; window.ends = []; window.pauses = 0;
  Math.random = () => 0;
  const { setTimeout: pause } = window;
  window.setTimeout = (work, ms) => { window.pauses += 1; return pause(work, ms); };
  window.show = (message) => window.heard.push(message.deviceId);
  window.signedOut = (reason) => window.ends.push(reason);
  void 0;`;

/** Signs in as pages do, whose refresh token is in a cookie. */
const signIn = (identifier: string): Promise<string> =>
  page.evaluate(`(async () => {
    const headers = { 'content-type': 'application/json', 'x-client-type': 'web' };
    const body = JSON.stringify(${JSON.stringify({ identifier, password: PASSWORD })});
    window.session = await (await fetch('/api/v1/auth/login', { method: 'POST', headers, body })).json();
    return window.session.accessToken;
  })()`);

describe('A page with an EventSource', () => {
  it('hears every event once, though its stream is cut and its token expires, until its session ends', async () => {
    const text = await readFile('docs/realtime.md', 'utf8');
    const [, shown = ''] = /### In a page\n[\s\S]*?```js\n([\s\S]*?)```/.exec(text) ?? [];
    expect(shown).toContain('new EventSource');
    await page.evaluate(PREPARED);
    const first = await signIn(ada.email);
    await page.evaluate(`${shown}\nvoid 0;`);
    await eventually('the stream is open', () => streams().size === 1);
    const registered: string[] = [];
    for (const isExpired of [false, true]) {
      registered.push((await registerDevice(application.url, ada)).id);
      await eventually('the page hears', async () => (await heard()).length === registered.length);
      if (isExpired) {
        await page.evaluate(`window.session.accessToken = '${await tokenFor(-60, application, first)}'`);
        answers.length = 0;
      }
      cut();
      registered.push((await registerDevice(application.url, ada)).id);
      await eventually('the page goes on', async () => (await heard()).length >= registered.length);
    }
    expect(await heard()).toEqual(registered);
    expect(answers).toEqual(['events/tickets 401', 'auth/refresh 200', 'events/tickets 201', 'events/stream 200']);

    const token = String(await page.evaluate('window.session.accessToken'));
    const pauses = await page.evaluate('window.pauses');
    expect((await request(application.url, 'POST', '/api/v1/auth/logout', { token })).status).toBe(204);
    await eventually('it is told', async () => (await page.evaluate<string[]>('window.ends')).length === 1);
    await eventually('its stream is gone', () => streams().size === 0);
    // It would be told the same if it had not heard it.
    await page.evaluate('listen()');
    expect([await page.evaluate('window.ends'), await page.evaluate('window.pauses')]).toEqual([
      ['logout', 'logout'],
      pauses,
    ]);
  });
});
