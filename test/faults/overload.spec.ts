/**
 * P-30: five times as many reads arrive as the application can serve, by a clock, whether or not those before are answered.
 * Residents unlock their doors meanwhile: every unlock moves the bolt of a virtual lock. What is not served is refused, with
 * when to come back, and nothing fails otherwise. Memory stays bounded, probes are answered, and a moment later all is as before.
 * Residents unlock over HTTP, and over a socket in turn. Seen to fail: with every request admitted as a read is (25 of 48 unlocks were
 * answered 503); with `send_command` admitted as a read.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Socket } from 'socket.io-client';
import type { LoadOutcome, LoadPlan, LoadRun } from '../../bench/support/open-loop/load-plan.js';
import { OpenLoopGenerator } from '../../bench/support/open-loop/open-loop-generator.js';
import type { AnswerTo, SocketAck } from '../../src/contracts/realtime.js';
import { type Account, createAccount } from '../support/accounts.fixture.js';
import { registerDevice, type RegisteredDevice, sendCommand } from '../support/devices.fixture.js';
import { createInstallation, type Installation } from '../support/installation.js';
import { Dashboard } from '../support/dashboard.js';
import { counter } from '../support/metrics.js';
import { ApplicationProcess } from '../support/process.js';
import { recordFigure, scaled, tellProgress } from '../support/promise.js';
import { LockGroup } from '../support/rig/lock-group.js';
import { eventually } from '../support/wait.js';

const TIMES_CAPACITY = 5;
const MEASURED_S = scaled(1, 5);
const FLOOD_S = scaled(3, 60);
const RESIDENTS = scaled(3, 10);
/** Of one resident, from an answer to the next unlock. */
const PAUSE_MS = 200;
const DEVICES = 20;
/** For seconds of what is served: with few connections an open loop is a closed one, and nothing is refused. */
const connectionsFor = (capacity: number): number => Math.min(3_500, Math.max(1_000, 2 * capacity));
const MOST_MEMORY_BYTES = 1_536 * 2 ** 20;
const SAMPLE_EVERY_MS = 500;
/** No probe and no refusal takes longer than any request may. */
const REQUEST_TIMEOUT_MS = 10_000;
const RECOVERED_WITHIN_MS = 10_000;
const ENDS = ['command_executed', 'command_failed', 'command_timed_out', 'command_expired'] as const;

interface Unlock {
  readonly status: number;
  readonly state: unknown;
  readonly tookMs: number;
}

let installation: Installation;
let app: ApplicationProcess;
let generator: OpenLoopGenerator;
let locks: LockGroup;
let residents: { readonly account: Account; readonly door: RegisteredDevice; readonly dashboard: Dashboard }[];
let reads: LoadPlan;

beforeAll(async () => {
  installation = await createInstallation({
    ROLES: 'api,hardware',
    DATABASE_POOL_SIZE: '20',
    REQUEST_TIMEOUT: `${String(REQUEST_TIMEOUT_MS)}ms`,
    // Here all clients are at one address.
    CONNECTIONS_PER_ADDRESS: '10000',
  });
  app = await ApplicationProcess.start(installation.env);
  generator = new OpenLoopGenerator();
  const reader = await createAccount(app.url);
  const devices = await Promise.all(Array.from({ length: DEVICES }, () => registerDevice(app.url, reader)));
  const accounts = await Promise.all(Array.from({ length: RESIDENTS }, () => createAccount(app.url)));
  residents = await Promise.all(
    accounts.map(async (account) => ({
      account,
      door: await registerDevice(app.url, account),
      dashboard: await Dashboard.signedIn(app.url, account.accessToken),
    })),
  );
  locks = new LockGroup({
    locks: residents.map(({ door }) => ({ device: door, faults: [] })),
    mqttUrl: app.mqttUrl,
    apis: [app.url],
    directory: installation.directory,
  });
  await locks.online();
  reads = readsOf(reader, devices);
}, 60_000);

afterAll(async () => {
  residents.forEach(({ dashboard }) => {
    dashboard.close();
  });
  await generator.stop();
  await locks.stop();
  await app.kill();
  await installation.remove();
});

/** What is read from PostgreSQL each time: the history of a device. */
function readsOf({ accessToken }: Account, devices: readonly RegisteredDevice[]): LoadPlan {
  const requests = devices.map(({ id }) => ({
    method: 'GET' as const,
    path: `/api/v1/devices/${id}/events?limit=20`,
    headers: { authorization: `Bearer ${accessToken}` },
    expect: { status: 200, text: '"device_registered"', times: 1 },
  }));
  return { url: app.url, kinds: [{ name: 'history', share: 1, requests }] };
}

function send(run: Partial<LoadRun>): Promise<LoadOutcome> {
  return generator.send(reads, {
    perSecond: null,
    seconds: MEASURED_S,
    connections: 50,
    giveUpAfterMs: Infinity,
    ...run,
  });
}

type Resident = (typeof residents)[number];
const ORDER = { name: 'unlock_door', payload: { durationMs: 1_000 } } as const;

async function unlockOverHttp({ account, door }: Resident): Promise<Omit<Unlock, 'tookMs'>> {
  const { status, body } = await sendCommand(app.url, account, door.id, ORDER, { waitSeconds: 15 });
  return { status, state: body.state };
}

/** By `send_command`, whose outcome is told by `command_status`. */
async function unlockOverSocket({ door, dashboard }: Resident): Promise<Omit<Unlock, 'tookMs'>> {
  const socket = dashboard.socket.timeout(REQUEST_TIMEOUT_MS) as unknown as Pick<Socket, 'emitWithAck'>;
  const order = { ...ORDER, deviceId: door.id, idempotencyKey: randomUUID() };
  const answer = (await socket.emitWithAck('send_command', order)) as SocketAck<AnswerTo<'send_command'>>;
  if ('error' in answer) {
    return { status: answer.error.status, state: answer.error.code };
  }
  const { id } = answer.command as { id: string };
  const end = await dashboard.expect(
    'the outcome',
    ({ message: { commandId, type } }) => commandId === id && ENDS.some((each) => each === type),
  );
  return { status: 200, state: (end.message.payload as { state?: string }).state };
}

/** Each resident unlocks again and again, until `flood` is over. */
async function unlockDuring(flood: Promise<unknown>): Promise<Unlock[]> {
  const unlocks: Unlock[] = [];
  let isOver = false;
  const over = flood.finally(() => (isOver = true));
  const live = async (resident: Resident): Promise<void> => {
    for (let turn = 0; !isOver; turn += 1) {
      const began = performance.now();
      const unlocked = await (turn % 2 === 0 ? unlockOverHttp : unlockOverSocket)(resident);
      unlocks.push({ ...unlocked, tookMs: performance.now() - began });
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
  await Promise.all([over, ...residents.map(live)]);
  return unlocks;
}

/** The most memory that the process has held until `flood` is over, asked of a probe, and the slowest probe. */
async function watchDuring(flood: Promise<unknown>): Promise<{ bytes: number; slowestMs: number }> {
  let isOver = false;
  let [bytes, slowestMs] = [0, 0];
  const over = flood.finally(() => (isOver = true));
  const watch = async (): Promise<void> => {
    while (!isOver) {
      const began = performance.now();
      bytes = Math.max(bytes, await counter(app.url, 'process_resident_memory_bytes'));
      slowestMs = Math.max(slowestMs, performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_EVERY_MS));
    }
  };
  await Promise.all([over, watch()]);
  return { bytes, slowestMs };
}

/** How long it takes until a closed loop is served without a refusal again. */
async function recovery(): Promise<number> {
  const began = performance.now();
  await eventually(
    'all reads are served again',
    async () => {
      const { all } = await send({ seconds: 0.2, connections: 10 });
      return all.good.count > 0 && all.refused.count === 0 && Object.keys(all.wrong).length === 0;
    },
    RECOVERED_WITHIN_MS,
  );
  return performance.now() - began;
}

function quantile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN).toFixed(0);
}

describe('P-30: five times as many reads as can be served', () => {
  it('leaves every unlock, and refuses what it does not serve', async () => {
    // The first time costs more than any other.
    await send({ seconds: MEASURED_S / 2 });
    const capacity = Math.ceil((await send({})).perSecond);
    tellProgress(`${String(capacity)} reads a second are served`);
    const flood = send({
      perSecond: TIMES_CAPACITY * capacity,
      seconds: FLOOD_S,
      connections: connectionsFor(capacity),
    });
    const [{ all }, unlocks, probes] = await Promise.all([flood, unlockDuring(flood), watchDuring(flood)]);
    const recoveredMs = await recovery();
    const took = unlocks.map(({ tookMs }) => tookMs);
    expect(unlocks.filter(({ status, state }) => status !== 200 || state !== 'EXECUTED')).toEqual([]);
    const moved = [...locks.actuations().values()].flat().filter(({ action }) => action === 'unlock_door');
    expect(moved.length).toBe(unlocks.length);
    expect(new Set(moved.map(({ boot }) => boot)).size).toBe(RESIDENTS);
    expect(all.wrong).toEqual({});
    expect([all.good.count > 0, all.refused.count > 0]).toEqual([true, true]);
    expect(await counter(app.url, 'mortise_shed_total', 'priority="vital"')).toBe(0);
    expect(Math.max(all.refused.max, probes.slowestMs)).toBeLessThan(REQUEST_TIMEOUT_MS);
    expect(probes.bytes).toBeLessThan(MOST_MEMORY_BYTES);
    recordFigure({
      promise: 'P-30',
      shown:
        `Unlocks through to the bolt, while five times as many reads arrived as are served (${String(TIMES_CAPACITY * capacity)} a second for ${String(FLOOD_S)} s): ` +
        `${String(all.good.count)} reads served, ${String(all.refused.count)} refused with 503 \`busy\` and \`Retry-After\` (p50 ${all.refused.p50.toFixed(0)} ms), 0 failed otherwise; ` +
        `at most ${(probes.bytes / 2 ** 20).toFixed(0)} MiB, slowest probe ${probes.slowestMs.toFixed(0)} ms, all served again after ${recoveredMs.toFixed(0)} ms.`,
      n: unlocks.length,
      figure: `0 refused, p50 ${quantile(took, 0.5)} ms, p99 ${quantile(took, 0.99)} ms`,
    });
  }, 180_000);
});
