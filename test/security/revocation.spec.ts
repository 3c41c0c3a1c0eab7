/**
 * P-06: revocation bites on every channel. Two API processes share a database and a Redis behind a proxy; a session that
 * one of them ended is used at the other one, which has just answered it.
 * Seen failing on broken builds: without the signal no socket was cut in its two seconds; with answers remembered for a
 * minute REST went on without Redis for more than ten seconds; with `certain` left out of the guard 6 (with Redis) and 9
 * (without) of 9 unlock commands were taken after the session had ended.
 */
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp, listen } from '../../src/apps/bootstrap.js';
import { loadConfig } from '../../src/config/load-config.js';
import { testEnvironment } from '../support/application.js';
import { Dashboard } from '../support/dashboard.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { recordFigure, scaled } from '../support/promise.js';
import { type Person, registerDevice, request, sendCommand, signUp } from '../support/rest.js';
import { eventually } from '../support/wait.js';

/** Each way to end a session, with and without trying to unlock. */
const SESSIONS = scaled(6, 60);
const REST_BOUND_MS = 5_000;
const SOCKET_BOUND_MS = { up: 2_000, down: 35_000 };

type Ending = (here: string, person: Person) => Promise<void>;

const ENDINGS: Readonly<Record<string, Ending>> = {
  logout: async (here, { accessToken: token }) => {
    expect((await request(here, 'POST', '/api/v1/auth/logout', { token })).status).toBe(204);
  },
  'logout-all': async (here, { accessToken: token }) => {
    expect((await request(here, 'POST', '/api/v1/auth/logout-all', { token })).status).toBe(200);
  },
  reuse: async (here, { refreshToken }) => {
    const refresh = (token: string) =>
      request<{ refreshToken: string }>(here, 'POST', '/api/v1/auth/refresh', { body: { refreshToken: token } });
    const second = await refresh(refreshToken);
    await refresh(second.body.refreshToken);
    expect((await refresh(refreshToken)).status).toBe(401);
  },
};

describe('P-06: revocation with two API processes', () => {
  let database: TestDatabase;
  let redis: FaultProxy;
  let apps: NestFastifyApplication[];
  let here: string;
  let there: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    const env = await testEnvironment(database.url, { ROLES: 'api' });
    redis = await FaultProxy.inFrontOf(env.REDIS_URL ?? '');
    const config = loadConfig({ ...env, REDIS_URL: redis.url });
    apps = [await createApp(config), await createApp(config)];
    [here = '', there = ''] = await Promise.all(
      apps.map(async (app) => {
        await listen(app);
        return `http://127.0.0.1:${String((app.getHttpServer().address() as AddressInfo).port)}`;
      }),
    );
  });

  afterAll(async () => {
    await Promise.all(apps.map((app) => app.close()));
    await redis.close();
    await database.drop();
  });

  const statusThere = async ({ accessToken: token }: Person): Promise<number> =>
    (await request(there, 'GET', '/api/v1/users/me', { token })).status;
  const unlockThere = async (person: Person, deviceId: string): Promise<number> =>
    (await sendCommand(there, person, deviceId, { name: 'unlock_door', payload: { durationMs: 5_000 } })).status;

  interface Outcome {
    /** Null where unlocking was tried first: being refused that, the other process knows. */
    readonly restMs: number | null;
    readonly socketMs: number;
    readonly unlocks: number;
    readonly refreshes: number;
  }

  /** A person at the other process, whose session then ends here. */
  async function endSession(end: Ending, unlocking: boolean, socketBoundMs: number): Promise<Outcome> {
    const person = await signUp(here, 'ada');
    const device = await registerDevice(there, person);
    const dashboard = await Dashboard.signedIn(there, person.accessToken);
    let disconnectedAt: number | undefined;
    dashboard.socket.once('disconnect', () => {
      disconnectedAt = performance.now();
    });
    // They are listening: the door is offline, which only somebody who may open it is told.
    expect(await unlockThere(person, device.id)).toBe(409);
    expect(await statusThere(person)).toBe(200);

    await end(here, person);
    const endedAt = performance.now();
    // At once, while the other process may still remember a live session.
    const attempts = unlocking ? [1, 2, 3].map(() => unlockThere(person, device.id)) : [];
    const unlocks = (await Promise.all(attempts)).filter((status) => status !== 401);
    const { refreshToken } = person;
    const refresh = await request(there, 'POST', '/api/v1/auth/refresh', { body: { refreshToken } });
    await eventually('REST refuses', async () => (await statusThere(person)) === 401, REST_BOUND_MS + 5_000);
    const restMs = unlocking ? null : performance.now() - endedAt;
    await eventually('the socket is cut', () => disconnectedAt !== undefined, socketBoundMs + 5_000);
    return {
      restMs,
      socketMs: (disconnectedAt ?? Infinity) - endedAt,
      unlocks: unlocks.length,
      refreshes: refresh.status === 401 ? 0 : 1,
    };
  }

  async function endAll(mode: 'up' | 'down'): Promise<void> {
    const rounds = Array.from({ length: SESSIONS / 6 }, () => Object.values(ENDINGS)).flat();
    const outcomes = await Promise.all(
      [true, false].flatMap((unlocking) => rounds.map((end) => endSession(end, unlocking, SOCKET_BOUND_MS[mode]))),
    );
    const most = (what: keyof Outcome): number => Math.max(...outcomes.map((outcome) => outcome[what] ?? 0));
    const sum = (what: keyof Outcome): number => outcomes.reduce((total, outcome) => total + (outcome[what] ?? 0), 0);
    recordFigure({
      promise: 'P-06',
      shown: `sessions ended at one process and used at another, Redis ${mode}:`,
      n: SESSIONS,
      figure:
        `REST refused after ${most('restMs').toFixed(0)} ms at most, sockets cut after ${most('socketMs').toFixed(0)} ms, ` +
        `${String(sum('unlocks'))} unlocks and ${String(sum('refreshes'))} refreshes accepted`,
    });
    expect(most('restMs')).toBeLessThanOrEqual(REST_BOUND_MS);
    expect(most('socketMs')).toBeLessThanOrEqual(SOCKET_BOUND_MS[mode]);
    expect([sum('unlocks'), sum('refreshes')]).toEqual([0, 0]);
  }

  it('bites with Redis', async () => {
    await endAll('up');
  }, 60_000);

  it('bites without Redis', async () => {
    redis.down();
    await endAll('down');
  }, 120_000);
});
