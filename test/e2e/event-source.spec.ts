/**
 * A page of a real browser follows the feed by `EventSource`, as docs/realtime.md shows: with a ticket, which is good once. Its
 * stream is cut, and again; it goes on from the last event that it has, and hears every event once.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { type Browser, chromium, type Page } from 'playwright-core';
import { EventStreamRegistry } from '../../src/features/realtime/streams/event-stream-registry.js';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import { fromEnvironment } from '../support/environment.js';
import { OrganizationsFixture } from '../support/organizations.fixture.js';
import { eventually } from '../support/wait.js';

let fixture: OrganizationsFixture;
let browser: Browser;
let page: Page;
let ada: InsertedAccount;

beforeAll(async () => {
  fixture = await OrganizationsFixture.start();
  ada = await fixture.createAccount('ada');
  browser = await chromium.launch({ executablePath: fromEnvironment('TEST_CHROMIUM'), args: ['--no-sandbox'] });
  page = await browser.newPage();
  await page.goto(`${fixture.application.url}/problems`);
}, 60_000);

afterAll(async () => {
  await browser.close();
  await fixture.stop();
});

/** What the page heard: the devices that were registered. */
const heard = (): Promise<string[]> => page.evaluate('window.heard');

/** As a network does: without a word. */
function cut(): void {
  const [open] = fixture.application.get(EventStreamRegistry).all();
  (open?.stream as unknown as { raw: { destroy(): void } }).raw.destroy();
}

describe('A page with an EventSource', () => {
  it('hears every event once, though its stream is cut', async () => {
    const text = await readFile('docs/realtime.md', 'utf8');
    const [, shown = ''] = /### In a page\n[\s\S]*?```js\n([\s\S]*?)```/.exec(text) ?? [];
    expect(shown).toContain('new EventSource');
    await page.evaluate(
      `window.heard = []; const session = { accessToken: '${ada.accessToken}' };
       const show = (message) => window.heard.push(message.deviceId);
       ${shown}
       void 0;`,
    );
    await eventually('the stream is open', () => fixture.application.get(EventStreamRegistry).size === 1);
    const registered: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      registered.push((await fixture.registerDevice(ada)).id);
      await eventually('the page hears', async () => (await heard()).length === registered.length);
      cut();
      registered.push((await fixture.registerDevice(ada)).id);
      await eventually('the page goes on', async () => (await heard()).length >= registered.length);
    }
    expect(await heard()).toEqual(registered);
  });
});
