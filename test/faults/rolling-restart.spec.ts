/**
 * Two API processes behind a real nginx with the configuration of deploy/nginx are released one after the other, under load: no
 * request is refused and none fails. A balancer that probes readiness is stood for by a loop that does, and reloads nginx.
 * Seen to fail: with DRAIN_DELAY=0s (seven requests met a process that was gone, or a reset; nginx could repeat them that time).
 */
import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { io } from 'socket.io-client';
import { type Account, createAccount } from '../support/accounts.fixture.js';
import { DashboardCrowd } from '../support/dashboard-crowd.js';
import { Dashboard } from '../support/dashboard.js';
import { registerDevice, type RegisteredDevice } from '../support/devices.fixture.js';
import { createInstallation, type Installation } from '../support/installation.js';
import { type Nginx, startNginx } from '../support/nginx.js';
import { ApplicationProcess } from '../support/process.js';
import { recordFigure, scaled, tellProgress } from '../support/promise.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

const PROBE_EVERY_MS = scaled(200, 1_000);
/** As Kubernetes and HAProxy, which take a slow answer for none. */
const PROBE_WITHIN_MS = 1_000;
const DRAIN_DELAY = `${String(scaled(1_500, 5_000))}ms`;
const SOCKETS = scaled(30, 1_000);
const STREAMS = SOCKETS;
const EVENT_EVERY_MS = scaled(20, 250);
/** Each restarts both processes. */
const RELEASES = scaled(1, 3);
/** DRAIN_DELAY of 5 s and DRAIN_TIMEOUT of 10 s, and as long again as that for what closes after it. */
const EXIT_WITHIN_MS = 25_000;
/** Requests that are under way at any time. */
const CLIENTS = 6;
const MIB = 1_048_576;

let installation: Installation;
/** Writes the events, and relays them. */
let writer: TestApp;
let processes: ApplicationProcess[];
let nginx: Nginx;
let owner: Account;
let device: RegisteredDevice;

beforeAll(async () => {
  installation = await createInstallation({
    ROLES: 'api',
    DRAIN_DELAY,
    TRUSTED_PROXIES: '127.0.0.1/32',
    JWT_ACCESS_EXPIRY: '1h',
  });
  writer = await TestApp.start({ env: { ...installation.env, ROLES: 'worker' } });
  processes = await Promise.all([1, 2].map(() => ApplicationProcess.start(installation.env)));
  nginx = await startNginx(processes.map(({ port }) => port));
  owner = await createAccount(nginx.url);
  device = await registerDevice(nginx.url, owner);
}, 240_000);

afterAll(async () => {
  await Promise.all(processes.map((each) => each.kill()));
  await nginx.stop();
  await writer.stop();
  await installation.remove();
});

function post(path: string, type: string, body: string): Promise<Response> {
  return fetch(nginx.url + path, { method: 'POST', headers: { 'content-type': type }, body });
}

/** Over a connection of its own: one that is kept nginx 1.22 closes when it is reloaded, even if a request is on its way. */
function askOnce(
  method: string,
  path: string,
  headers: Record<string, string>,
  body = '',
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(nginx.url + path, { agent: false, method, headers }, (answer) => {
      text(answer).then((read) => {
        resolve({ status: answer.statusCode ?? 0, text: read });
      }, reject);
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

/** Connects a dashboard by long polling alone. @returns what became of it */
async function pollThrough(url: string): Promise<string> {
  const auth = { token: owner.accessToken, clientType: 'dashboard' };
  const socket = io(url, { auth, transports: ['polling'], reconnection: false, forceNew: true });
  const outcome = await new Promise<string>((resolve) => {
    socket.once('connect', () => {
      resolve('connected');
    });
    socket.once('connect_error', (error) => {
      const { responseText } = (error as unknown as { context?: { responseText?: string } }).context ?? {};
      resolve((JSON.parse(responseText ?? '{}') as { message?: string }).message ?? error.message);
    });
    // A request of a connection that was made already was refused.
    socket.once('disconnect', (_reason, details) => {
      const { responseText } = (details as { context?: { responseText?: string } } | undefined)?.context ?? {};
      resolve((JSON.parse(responseText ?? '{}') as { message?: string }).message ?? 'disconnected');
    });
  });
  socket.disconnect();
  return outcome;
}

async function socketsOf({ url }: ApplicationProcess): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^mortise_dashboard_sockets (\d+)$/m.exec(metrics)?.[1]);
}

interface Load {
  /** Ends it. @returns how many requests were sent, and those that failed */
  end(): Promise<{ sent: number; failed: string[] }>;
}

/** Clients, each of which reads, gives a command that waits for the device, and cancels it. */
function load(): Load {
  let isOver = false;
  let sent = 0;
  const failed: string[] = [];
  const authorization = `Bearer ${owner.accessToken}`;
  const commands = `/api/v1/devices/${device.id}/commands`;
  /** The text of an answer of 2xx; anything else has failed. */
  const ask = async (method: string, path: string, body?: string): Promise<string | undefined> => {
    sent += 1;
    const headers = {
      authorization,
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'idempotency-key': randomUUID() }),
    };
    try {
      const answer = await askOnce(method, path, headers, body);
      if (answer.status >= 200 && answer.status < 300) {
        return answer.text;
      }
      failed.push(`${method} ${String(answer.status)} ${answer.text.slice(0, 200)}`);
    } catch (error) {
      failed.push(`${method} ${String(error)}`);
    }
    return undefined;
  };
  const client = async (): Promise<void> => {
    while (!isOver) {
      await ask('GET', '/api/v1/users/me');
      const command = await ask('POST', commands, JSON.stringify({ name: 'lock_door' }));
      if (command !== undefined) {
        await ask('DELETE', `${commands}/${(JSON.parse(command) as { id: string }).id}`);
      }
    }
  };
  const clients = Array.from({ length: CLIENTS }, client);
  return {
    async end() {
      isOver = true;
      await Promise.all(clients);
      return { sent, failed };
    },
  };
}

/** Whether a process says that it is ready, within a probe's time: one that has too much to do takes longer. */
async function isReady({ url }: ApplicationProcess): Promise<boolean> {
  try {
    const { ok } = await fetch(`${url}/api/health/ready`, { signal: AbortSignal.timeout(PROBE_WITHIN_MS) });
    return ok;
  } catch {
    return false;
  }
}

/** Takes out of service what is not ready, and puts back what is. @returns ends it, once every process serves again */
function balance(): () => Promise<void> {
  const stopped = new AbortController();
  let served = processes.map(({ port }) => port).join();
  const probing = (async () => {
    while (!stopped.signal.aborted) {
      const ready = await Promise.all(processes.map(isReady));
      const ports = processes.filter((_, index) => ready[index]).map(({ port }) => port);
      if (ports.length > 0 && ports.join() !== served) {
        served = ports.join();
        await nginx.serve(ports);
      }
      await pause(PROBE_EVERY_MS);
    }
  })();
  return async () => {
    try {
      const all = processes.map(({ port }) => port).join();
      await eventually('every process is put back', () => served === all);
    } finally {
      stopped.abort();
      await probing;
    }
  };
}

describe('a rolling restart behind nginx', () => {
  it('P-29: refuses no request and fails none, tells dashboards to connect again, and no event is missed', async () => {
    const endBalance = balance();
    const crowd = await DashboardCrowd.gather(writer, {
      size: SOCKETS + STREAMS,
      streams: STREAMS,
      urlOf: () => nginx.url,
    });
    const endEvents = crowd.pour(EVENT_EVERY_MS);
    const running = load();
    const dashboard = await Dashboard.connect(nginx.url, { token: owner.accessToken, clientType: 'dashboard' });
    const exitsMs: number[] = [];
    for (let release = 0; release < RELEASES; release += 1) {
      for (const each of processes) {
        const since = performance.now();
        each.signal('SIGTERM');
        await eventually('a process is gone', () => each.hasEnded, 40_000);
        exitsMs.push(performance.now() - since);
        expect(each.exitCode).toBe(0);
        await each.start();
        tellProgress(`a process was gone after ${exitsMs.at(-1)?.toFixed(0) ?? ''} ms`);
      }
    }
    expect(await dashboard.closed()).toMatchObject({ code: 'shutting_down', status: 503 });
    // Within two seconds, each at another moment.
    expect(dashboard.closing?.retryAfter).toBeGreaterThanOrEqual(0.5);
    expect(dashboard.closing?.retryAfter).toBeLessThanOrEqual(2);
    const { sent, failed } = await running.end();
    await endBalance();
    await crowd.allBack();
    await endEvents();
    const { events, expected, ...wrong } = await crowd.deliveries();
    crowd.stop();
    recordFigure({
      promise: 'P-29',
      shown: `Two API processes behind nginx were restarted one after the other, ${String(RELEASES)} times, under ${String(SOCKETS)} sockets, ${String(STREAMS)} event streams and ${String(sent)} requests of ${String(CLIENTS)} clients; they were gone ${Math.max(...exitsMs).toFixed(0)} ms after SIGTERM at the latest.`,
      n: expected,
      figure: `${String(failed.length)} failed requests, ${String(crowd.refusals.length)} refused connections, ${String(wrong.missing)} events missed, ${String(wrong.twice)} twice`,
    });
    // First: it says why a request failed.
    expect(await nginx.errors()).toEqual([]);
    expect(failed).toEqual([]);
    expect(sent).toBeGreaterThan(50);
    expect(wrong).toEqual({ missing: 0, twice: 0, disordered: 0, resyncs: 0 });
    expect(crowd.refusals).toEqual([]);
    expect(crowd.connections).toBeGreaterThan(SOCKETS + STREAMS);
    expect(events).toBeGreaterThan(50);
    expect(Math.max(...exitsMs)).toBeLessThan(EXIT_WITHIN_MS);
  }, 400_000);

  it('takes bodies that are too large, or of a type that is not read, without giving up on a process', async () => {
    const [large, medium] = ['x'.repeat(2 * MIB), 'x'.repeat(MIB)];
    const flooding = Array.from({ length: 4 }, async () => {
      for (let round = 0; round < 5; round += 1) {
        await Promise.allSettled([
          post('/api/v1/auth/login', 'application/json', large),
          post('/api/v1/users/import', 'text/plain', medium),
        ]);
      }
    });
    const running = load();
    await Promise.all(flooding);
    const { sent, failed } = await running.end();
    expect(failed).toEqual([]);
    expect(sent).toBeGreaterThan(10);
    const refused = await post('/api/v1/auth/login', 'application/json', large);
    expect(refused.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(await refused.json()).toMatchObject({
      type: '/problems/body_too_large',
      status: 413,
      code: 'body_too_large',
    });
  }, 60_000);

  it('lets dashboards poll, which a balancer without affinity does not', async () => {
    const sticky = await Promise.all(Array.from({ length: 6 }, () => pollThrough(nginx.url)));
    expect(sticky).toEqual(sticky.map(() => 'connected'));
    const roundRobin = await startNginx(
      processes.map(({ port }) => port),
      (configuration) => configuration.replace('hash $mortise_socket consistent;', ''),
    );
    const lost = await Promise.all(Array.from({ length: 6 }, () => pollThrough(roundRobin.url)));
    const upgraded = await Dashboard.connect(roundRobin.url, { token: owner.accessToken, clientType: 'dashboard' });
    upgraded.close();
    await roundRobin.stop();
    expect(lost).toContain('Session ID unknown');
    // A WebSocket goes to any process, whatever its address.
    const auth = { token: owner.accessToken, clientType: 'dashboard' };
    const dashboards = await Promise.all(Array.from({ length: 14 }, () => Dashboard.connect(nginx.url, auth)));
    expect(await Promise.all(processes.map(socketsOf))).not.toContain(0);
    dashboards.forEach((each) => {
      each.close();
    });
  });

  it('shows the world whether it serves, and not what it consists of', async () => {
    const shown = ['/metrics', '/api/health', '/api//health?x=1', '/api/health/ready'].map(
      async (path) => (await fetch(nginx.url + path)).status,
    );
    expect(await Promise.all(shown)).toEqual([404, 404, 404, 200]);
  });
});
