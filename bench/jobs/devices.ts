import { loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../../tools/stack/failure.js';
import { print, step } from '../../tools/stack/steps.js';
import type { DashboardCounts } from '../support/dashboard-counts.js';
import { Generator } from '../support/generator.js';
import { inParallel } from '../support/mix/mix-installation.js';
import { createOwnerWithDevices } from '../support/owner-with-devices.js';
import { cpuMs, rssMb } from '../support/process-use.js';
import { type Server, startMortise } from '../support/servers.js';
import { type Services } from '../support/services.js';
import { sql } from '../support/sql.js';
import { spreadOf } from '../support/statistics.js';

const OWNERS = 10;
const LOCKS_OF_OWNER = 100;
const DASHBOARDS_OF_OWNER = 10;
const LOCKS = OWNERS * LOCKS_OF_OWNER;
const DASHBOARDS = OWNERS * DASHBOARDS_OF_OWNER;
/** Shorter while a change is tried. */
const SECONDS = Number(process.env.BENCH_SECONDS ?? 60);
/** Each door is used every half hour, day and night: far more than people do. */
const DOORS_PER_SECOND = 0.5;
const IDLE_SECONDS = 10;
/** After so many logins at once: what they set off is over. */
const SETTLE_MS = 5_000;
const HEARD_WITHIN_MS = 10_000;
const WISH_PERCENT = 10;
const HEARTBEATS = /^mortise_mqtt_messages_total\{channel="heartbeat"\} (\d+)/m;

/**
 * 1,000 locks that send a heartbeat every 30 s and are used now and then, and 100 dashboards that hear of it: what the
 * server takes of a processor. Each dashboard hears every event of its locks once, or there is no figure.
 */
export async function devices(services: Services): Promise<void> {
  print(`\n### ${String(LOCKS)} locks with heartbeats every 30 s, ${String(DASHBOARDS)} dashboards\n`);
  const locks = Generator.start('locks');
  const dashboards = Generator.start('dashboards');
  try {
    const server = await startMortise(services);
    await pause(SETTLE_MS);
    const idle = await percentEachSecond(server, IDLE_SECONDS);
    const owners = await step('people and locks', () =>
      inParallel(OWNERS, () => createOwnerWithDevices(server.url, LOCKS_OF_OWNER)),
    );
    await sql(services, 'VACUUM ANALYZE');
    const doors = owners.flatMap((owner) => owner.devices);
    const tokens = owners.flatMap(({ accessToken }) => Array<string>(DASHBOARDS_OF_OWNER).fill(accessToken));
    await step('connecting', async () => {
      await locks.ask('connect', { mqttUrl: server.mqttUrl, devices: doors });
      await dashboards.ask('connect', { url: server.url, tokens });
    });
    await pause(SETTLE_MS);
    await dashboards.ask('forget');
    await measure(server, { locks, dashboards, idle });
    await server.stop();
  } finally {
    await Promise.all([locks.stop(), dashboards.stop()]);
  }
}

async function measure(
  server: Server,
  { locks, dashboards, idle }: { locks: Generator; dashboards: Generator; idle: readonly number[] },
): Promise<void> {
  const heartbeats = await heartbeatsOf(server);
  const cpu = cpuMs(server.pid);
  const [percents, reports] = await Promise.all([
    percentEachSecond(server, SECONDS),
    locks.ask<number>('report', { perSecond: DOORS_PER_SECOND, seconds: SECONDS }),
  ]);
  const mean = (cpuMs(server.pid) - cpu) / (SECONDS * 10);
  const beats = (await heartbeatsOf(server)) - heartbeats;
  const counts = await countsOf(dashboards, reports);
  assertAllHeard(counts, reports, beats);
  const heard = sum(counts.heard.door_status_changed ?? []);
  print('| percent of a core | mean | p50 of a second | max of a second |');
  print('|---|---|---|---|');
  print(`| ${String(LOCKS)} locks, ${String(DASHBOARDS)} dashboards | **${mean.toFixed(1)}** | ${cells(percents)} |`);
  print(`| the same process, idle before | ${(sum(idle) / idle.length).toFixed(1)} | ${cells(idle)} |`);
  print(
    `\n${String(SECONDS)} s: ${String(beats)} heartbeats (${(beats / SECONDS).toFixed(1)} a second), ${String(reports)} doors, ` +
      `${String(heard)} messages at dashboards, each once; RSS ${rssMb(server.pid).toFixed(0)} MB; load average ${load()}; ` +
      `wish < ${String(WISH_PERCENT)} %: ${mean < WISH_PERCENT ? 'met' : 'missed'}.`,
  );
}

/** What the process takes of one core, second by second. */
async function percentEachSecond({ pid }: Server, seconds: number): Promise<number[]> {
  const percents: number[] = [];
  for (let second = 0; second < seconds; second++) {
    const [before, begun] = [cpuMs(pid), performance.now()];
    await pause(1_000);
    percents.push(((cpuMs(pid) - before) * 100) / (performance.now() - begun));
  }
  return percents;
}

async function heartbeatsOf({ url }: Server): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(HEARTBEATS.exec(text)?.[1] ?? NaN);
}

/** When all is heard, or nothing more comes. */
async function countsOf(dashboards: Generator, reports: number): Promise<DashboardCounts> {
  const end = performance.now() + HEARD_WITHIN_MS;
  for (;;) {
    const counts = await dashboards.ask<DashboardCounts>('counts');
    if (performance.now() > end || sum(counts.heard.door_status_changed ?? []) >= reports * DASHBOARDS_OF_OWNER) {
      return counts;
    }
    await pause(100);
  }
}

/** A server that does nothing takes no processor time: what it should have done is counted. */
function assertAllHeard({ heard, repeated, dropped }: DashboardCounts, reports: number, beats: number): void {
  const doors = sum(heard.door_status_changed ?? []);
  const least = (LOCKS * SECONDS) / 30 / 2;
  if (doors !== reports * DASHBOARDS_OF_OWNER || repeated > 0 || dropped > 0 || !(beats >= least)) {
    const facts = { expected: reports * DASHBOARDS_OF_OWNER, doors, repeated, dropped, heartbeats: beats };
    throw new Failure(`Not everything was heard once: ${JSON.stringify(facts)}`);
  }
}

function cells(percents: readonly number[]): string {
  const { median, max } = spreadOf(percents);
  return `${median.toFixed(1)} | ${max.toFixed(1)}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function load(): string {
  return (loadavg()[0] ?? NaN).toFixed(1);
}
