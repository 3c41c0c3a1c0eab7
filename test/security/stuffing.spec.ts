/**
 * P-12: credential stuffing is slowed and seen: one `system_alert` for each window of 20 failures a minute on one
 * account, or 100 in all, however many processes notice; only administrators' dashboards receive it.
 * Seen failing on broken builds: without the look at earlier windows and with an upsert that always succeeds, every
 * further failure raises another alarm; without the look at who is an administrator now, a former one hears of it;
 * without the ceiling of all origins every attempt of a burst is a guess.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { StoredEvent } from '../../src/contracts/events.js';
import { Dashboard } from '../support/dashboard.js';
import { AuthFixture, ipOf } from '../support/auth.fixture.js';
import { LoginService } from '../../src/features/auth/login/login.service.js';
import { PASSWORD, registerUser } from '../support/accounts.fixture.js';
import { TestApp } from '../support/test-app.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { recordFigure, scaled } from '../support/promise.js';
import { emptyRedis } from '../support/redis.js';

const ACCOUNTS = scaled(3, 30);
const STUFFED = scaled(150, 2_000);
/** From any number of addresses at once. */
const GUESSES_A_BURST = 30;
const WINDOW_MS = 60_000;

describe('P-12: credential stuffing', () => {
  let database: TestDatabase;
  let nodes: readonly [TestApp, TestApp];

  beforeAll(async () => {
    database = await createTestDatabase();
    const env = { ROLES: 'api', DATABASE_URL: database.url, REDIS_URL: await emptyRedis() };
    nodes = await Promise.all([TestApp.start({ env }), TestApp.start({ env })]);
  });

  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await database.drop();
  });

  /** Wrong passwords through both processes at once. @returns how many reached the password. */
  async function guess(identifiers: readonly string[]): Promise<number> {
    let guesses = 0;
    for (let at = 0; at < identifiers.length; at += 10) {
      const answers = await Promise.all(
        identifiers.slice(at, at + 10).map((identifier, index) =>
          nodes[index % 2 === 0 ? 0 : 1]
            .get(LoginService)
            .login({ identifier, password: 'wrong' }, { ip: ipOf(at + index), userAgent: null })
            .then(
              () => 'in',
              (error: unknown) => (error as { code: string }).code,
            ),
        ),
      );
      expect(answers.every((code) => code === 'invalid_credentials' || code === 'login_throttled')).toBe(true);
      guesses += answers.filter((code) => code === 'invalid_credentials').length;
    }
    return guesses;
  }

  async function alerts(): Promise<StoredEvent<'system_alert'>['payload'][]> {
    const rows = await nodes[0].rows<{ payload: StoredEvent<'system_alert'>['payload'] }>(
      `SELECT payload FROM events WHERE type = 'system_alert' ORDER BY xid, id`,
    );
    return rows.map(({ payload }) => payload);
  }

  /** As if the windows so far had been long ago. */
  async function later(): Promise<void> {
    await nodes[0].rows('DELETE FROM events');
    await nodes[0].rows('DELETE FROM alert_windows');
  }

  it('raises one alarm for a burst on one account, and none for less', async () => {
    let [raised, guesses] = [0, 0];
    for (let round = 0; round < ACCOUNTS; round += 1) {
      await later();
      const email = `victim-${String(round)}@example.com`;
      const { id } = await registerUser(nodes[0], { email, password: PASSWORD });
      guesses += await guess(Array<string>(19).fill(email));
      expect(await alerts()).toEqual([]);
      guesses += await guess(Array<string>(30).fill(email));
      const received = await alerts();
      expect(received).toEqual([
        { alert: 'login_failures', scope: 'account', failures: expect.any(Number), windowSeconds: 60, userId: id },
      ]);
      expect(received[0]?.failures).toBeGreaterThanOrEqual(20);
      raised += received.length;
    }
    expect(guesses).toBeLessThanOrEqual(GUESSES_A_BURST * ACCOUNTS);
    recordFigure({
      promise: 'P-12',
      shown: 'Bursts of 49 attempts on one account, each from another address, through two processes:',
      n: ACCOUNTS,
      figure: `${String(raised)} alarms, ${String(guesses / ACCOUNTS)} guesses before the block`,
    });
  });

  it('raises one alarm for a list of accounts, which need not exist', async () => {
    await later();
    const names = Array.from({ length: STUFFED }, (_, index) => `stuffed-${String(index)}@example.com`);
    const start = performance.now();
    await guess(names.slice(0, 99));
    expect(await alerts()).toEqual([]);
    // Alone: of several that fail at once, a later one may be the first to raise it.
    await guess(names.slice(99, 100));
    const first = { alert: 'login_failures', scope: 'overall', failures: 100, windowSeconds: 60 };
    expect(await alerts()).toEqual([first]);
    await guess(names.slice(100));
    const received = await alerts();
    // Thousands take longer than a window, and the next one has an alarm of its own.
    const windows = 1 + Math.floor((performance.now() - start) / WINDOW_MS);
    expect(received[0]).toEqual(first);
    expect(received.length).toBeLessThanOrEqual(windows);
    recordFigure({
      promise: 'P-12',
      shown: 'Accounts tried once each, through two processes:',
      n: STUFFED,
      figure: `${String(received.length)} alarms in ${String(windows)} windows, the first at the 100th failure`,
    });
  });

  it('raises the next one in the next window', async () => {
    await later();
    await guess(Array<string>(25).fill('again@example.com'));
    expect(await alerts()).toHaveLength(1);
    await nodes[0].rows(`UPDATE alert_windows SET window_start = window_start - interval '3 minutes'`);
    await guess(Array<string>(25).fill('again@example.com'));
    expect(await alerts()).toHaveLength(2);
  });

  it('reaches administrators while they have the role, and no other account', async () => {
    const fixture = await AuthFixture.start({ ROLES: 'api,worker' });
    try {
      const [admin, former, user] = [
        await fixture.createUser({ role: 'ADMIN' }),
        await fixture.createUser({ role: 'ADMIN' }),
        await fixture.createUser(),
      ];
      const dashboards = [];
      for (const { email } of [admin, former, user]) {
        const { accessToken } = (await fixture.login(email)).body;
        dashboards.push(await Dashboard.signedIn(fixture.application.url, accessToken));
      }
      await fixture.sql.rows(`UPDATE users SET role = 'USER' WHERE id = $1`, [former.id]);
      for (let attempt = 0; attempt < 21; attempt += 1) {
        await fixture.login(user.email, 'wrong', { from: ipOf(attempt) });
      }
      const { message } = await dashboards[0]!.expect('the alarm', ({ event }) => event === 'system_alert');
      expect(message).toMatchObject({ payload: { scope: 'account', userId: user.id }, actor: 'system' });
      // As a notification, it reaches the person whose account it is about as well.
      const heard = dashboards.map(({ received }) => received.filter(({ event }) => event !== 'notification'));
      expect(heard.map(({ length }) => length)).toEqual([1, 0, 0]);
      dashboards.forEach((dashboard) => {
        dashboard.close();
      });
    } finally {
      await fixture.stop();
    }
  });
});
