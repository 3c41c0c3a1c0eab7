import { deepStrictEqual } from 'node:assert';
import { loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../../tools/stack/failure.js';
import { print, step } from '../../tools/stack/steps.js';
import { Generator } from '../support/generator.js';
import { type HistogramCounts, histogramQuantile, readHistogram } from '../support/metric-histogram.js';
import { barePlan, type MixCandidate, mortisePlan } from '../support/mix/mix-candidates.js';
import { createMixUsers, type MixUser, USERS } from '../support/mix/mix-installation.js';
import { startParse } from '../support/mix/parse-peer.js';
import { highestRate } from '../support/mix/rate-search.js';
import type { KindOutcome, LoadOutcome, LoadPlan, LoadRun } from '../support/open-loop/load-plan.js';
import { OpenLoopGenerator } from '../support/open-loop/open-loop-generator.js';
import { cpuMs, rssMb } from '../support/process-use.js';
import { type Server, startMortise, startProgram } from '../support/servers.js';
import { type Services } from '../support/services.js';
import { sql } from '../support/sql.js';
import { printOutcomes, warmUp } from './list.js';

const PER_SECOND = 1_000;
/** Shorter while a change is tried. */
const SECONDS = Number(process.env.BENCH_SECONDS ?? 60);
const WARM_UP: LoadRun = { perSecond: 300, seconds: 5, connections: 256, giveUpAfterMs: 5_000 };
const STEADY: LoadRun = { perSecond: PER_SECOND, seconds: SECONDS, connections: 256, giveUpAfterMs: 5_000 };
const SEARCH: LoadRun = { perSecond: 0, seconds: 4, connections: 256, giveUpAfterMs: 1_000 };
const SUSTAINED_P95_MS = 60;
/** Between two windows, for what the last one left. */
const REST_MS = 500;
/** Of the wait for a connection to PostgreSQL. */
const ACQUISITION = /^mortise_database_acqui\w*_seconds$/;
/** Larger than a list of 20 devices is. */
const NULL_BODY = JSON.stringify({ items: Array.from({ length: 20 }, (_, n) => ({ n, filler: 'x'.repeat(600) })) });

/**
 * The mix of an app: 70 % lists of 20 devices, 15 % single devices, 10 % events of devices, 5 % commands through to their
 * lock, by 100 people; at 1,000 requests/s by an open loop, then the highest rate with a p95 below 60 ms. Beside it bare
 * Fastify and pg, and Parse Server.
 */
export async function mix(services: Services): Promise<void> {
  print(
    `\n### The mix, ${String(USERS)} people, open loop; RATE_LIMIT_SCALE 1000000: all is counted, nothing refused\n`,
  );
  const generator = new OpenLoopGenerator();
  const ownLocks = Generator.start('locks');
  const bareLocks = Generator.start('locks');
  try {
    await printGeneratorAlone(services, generator);
    const ours = await startMortise(services);
    const rssAfterBootMb = rssMb(ours.pid);
    const users = await step('people and devices', () => createMixUsers(services, ours.url));
    const bare = await startProgram(services, 'mix-baseline');
    const bareRssMb = rssMb(bare.pid);
    await connectLocks(ownLocks, ours, users);
    await connectLocks(bareLocks, bare, users);
    await assertAlike(ours, bare, users);
    await step('a warm cache', () => warmUp(ours, { authorization: `Bearer ${users[0]?.accessToken ?? ''}` }));
    const candidates: (MixCandidate | null)[] = [
      { name: 'Mortise', server: ours, rssAfterBootMb, plan: () => mortisePlan(ours.url, users) },
      { name: 'bare Fastify + pg', server: bare, rssAfterBootMb: bareRssMb, plan: () => barePlan(bare.url, users) },
      await startParse(services),
    ];
    const present = candidates.filter((candidate) => candidate !== null);
    const executed = await measureAll(present, generator);
    await printMemory(services, present);
    await printOutcomes(ours);
    await assertNoneLost(services, ownLocks, executed);
    await Promise.all(present.map(({ server }) => server.stop()));
  } finally {
    await Promise.all([generator.stop(), ownLocks.stop(), bareLocks.stop()]);
  }
}

/** What is the generator's of each latency, and the highest rate at which it is on time. */
async function printGeneratorAlone(services: Services, generator: OpenLoopGenerator): Promise<void> {
  const server = await startProgram(services, 'null-server', { BODY: NULL_BODY });
  const expect = { status: 200, text: '"filler":', times: 20 };
  const request = { method: 'GET', path: '/', headers: {}, expect } as const;
  const plan: LoadPlan = { url: server.url, kinds: [{ name: 'null', share: 1, requests: [request] }] };
  print('| the generator against a server that does nothing | p50 ms | p95 ms | p99 ms | max ms |');
  print('|---|---|---|---|---|');
  await generator.send(plan, WARM_UP);
  for (const perSecond of [PER_SECOND, 4 * PER_SECOND, 8 * PER_SECOND]) {
    const { all, firstWrong } = await generator.send(plan, { ...STEADY, perSecond, seconds: 4 });
    assertRight('the null server', all, firstWrong);
    print(`| ${perSecond.toLocaleString('en')}/s | ${latencyCells(all)} |`);
  }
  await server.stop();
}

async function connectLocks(locks: Generator, server: Server, users: readonly MixUser[]): Promise<void> {
  await locks.ask('connect', { mqttUrl: server.mqttUrl, devices: users.map(({ devices }) => devices[0]) });
}

/** The baseline does the same work: its answers are the same, to the last member of a list. */
async function assertAlike(ours: Server, bare: Server, [user]: readonly MixUser[]): Promise<void> {
  const headers = { authorization: `Bearer ${user?.accessToken ?? ''}` };
  const [own, theirs] = await Promise.all([
    fetch(`${ours.url}/api/v1/devices?limit=20`, { headers }).then((answer) => answer.json()),
    fetch(`${bare.url}/owners/${user?.id ?? ''}/devices`).then((answer) => answer.json()),
  ]);
  deepStrictEqual(own, theirs);
}

/** @returns how many commands Mortise answered as executed. */
async function measureAll(candidates: readonly MixCandidate[], generator: OpenLoopGenerator): Promise<number> {
  let executed = 0;
  const send = async (candidate: MixCandidate, run: LoadRun): Promise<LoadOutcome> => {
    await pause(REST_MS);
    const outcome = await generator.send(candidate.plan(), run);
    executed += candidate === candidates[0] ? (outcome.kinds.command?.good.count ?? 0) : 0;
    return outcome;
  };
  print(
    `\n| ${PER_SECOND.toLocaleString('en')}/s for ${String(SECONDS)} s | p50 ms | p95 ms | p99 ms | max ms | n | errors | CPU µs per request | RSS MB |`,
  );
  print('|---|---|---|---|---|---|---|---|---|');
  for (const candidate of candidates) {
    await send(candidate, WARM_UP);
    await printSteady(candidate, (run) => send(candidate, run));
  }
  const best: [string, number][] = [];
  print(`\nThe highest rate with p95 < ${String(SUSTAINED_P95_MS)} ms, windows of ${String(SEARCH.seconds)} s:`);
  for (const candidate of candidates) {
    const { perSecond, windows } = await highestRate(async (rate) => {
      const { all, gaveUp } = await send(candidate, { ...SEARCH, perSecond: rate });
      return !gaveUp && errorsOf(all) === 0 && all.good.p95 < SUSTAINED_P95_MS;
    });
    best.push([candidate.name, perSecond]);
    print(
      `- ${candidate.name}: **${perSecond.toLocaleString('en')}/s** (${String(windows)} windows, load average ${load()})`,
    );
  }
  const [[, own] = ['', NaN], ...others] = best;
  others.forEach(([name, theirs]) => {
    // Where neither sustained the lowest rate, the machine was busy with other things.
    print(`- Mortise / ${name}: **${own > 0 && theirs > 0 ? (own / theirs).toFixed(2) : 'no ratio'}**`);
  });
  return executed;
}

async function printSteady(
  { name, server }: MixCandidate,
  send: (run: LoadRun) => Promise<LoadOutcome>,
): Promise<void> {
  const before = { cpu: cpuMs(server.pid), waits: await acquisitionOf(name, server) };
  const { all, kinds, gaveUp, firstWrong, sentLate } = await send(STEADY);
  const cpu = ((cpuMs(server.pid) - before.cpu) * 1_000) / (all.good.count + all.refused.count);
  const rest = `${cpu.toFixed(0)} | ${rssMb(server.pid).toFixed(0)}`;
  print(`| **${name}** | ${latencyCells(all)} | ${String(all.good.count)} | ${String(errorsOf(all))} | ${rest} |`);
  for (const [kind, outcome] of Object.entries(kinds)) {
    print(
      `| ${name}: ${kind} | ${latencyCells(outcome)} | ${String(outcome.good.count)} | ${String(errorsOf(outcome))} | | |`,
    );
  }
  print(`| ${name}: sent late | ${latencyCells({ good: sentLate })} | | | | |`);
  if (gaveUp || errorsOf(all) > 0) {
    print(
      `  ${name} does not keep up: ${JSON.stringify({ ...all.wrong, refused: all.refused.count })} ${firstWrong ?? ''}`,
    );
  }
  if (name === 'Mortise') {
    printAcquisition(before.waits, await acquisitionOf(name, server));
  }
}

function acquisitionOf(name: string, { url }: Server): Promise<HistogramCounts | null> {
  return name === 'Mortise' ? readHistogram(url, ACQUISITION) : Promise.resolve(null);
}

function printAcquisition(before: HistogramCounts | null, after: HistogramCounts | null): void {
  if (after === null) {
    print('  Wait for a connection to PostgreSQL: this build has no such metric.');
    return;
  }
  const quantile = (share: number): string => (histogramQuantile(before ?? new Map(), after, share) * 1_000).toFixed(2);
  print(`  Wait for a connection to PostgreSQL: p50 <= ${quantile(0.5)} ms, p99 <= ${quantile(0.99)} ms`);
}

/** What was answered as executed is kept as executed, and what is kept so a lock has done. After a window that was too much for it there may be more. */
async function assertNoneLost(services: Services, locks: Generator, answered: number): Promise<void> {
  const atLocks = await locks.ask<number>('executed');
  const [row] = await sql<{ executed: number }>(
    services,
    `SELECT count(*)::int AS executed FROM commands WHERE state = 'EXECUTED'`,
  );
  print(
    `\nCommands: ${String(answered)} answered as EXECUTED, ${String(atLocks)} orders at the locks, ${String(row?.executed ?? 0)} rows.`,
  );
  const kept = row?.executed ?? 0;
  if (kept < answered || atLocks < kept) {
    throw new Failure('The commands that were answered, carried out and kept are not the same.');
  }
}

async function printMemory(services: Services, candidates: readonly MixCandidate[]): Promise<void> {
  const api = await startMortise(services, { ROLES: 'api' });
  const minimal = await startProgram(services, 'minimal-nest');
  await pause(2_000);
  print('\n| RSS MB | after boot | after load |\n|---|---|---|');
  for (const { name, server, rssAfterBootMb } of candidates) {
    print(`| ${name} | ${rssAfterBootMb.toFixed(0)} | ${rssMb(server.pid).toFixed(0)} |`);
  }
  print(`| Mortise, ROLES=api alone | ${rssMb(api.pid).toFixed(0)} | - |`);
  print(`| minimal Nest + Fastify | ${rssMb(minimal.pid).toFixed(0)} | - |`);
  await Promise.all([api.stop(), minimal.stop()]);
}

function assertRight(name: string, outcome: KindOutcome, firstWrong: string | null): void {
  if (errorsOf(outcome) > 0) {
    throw new Failure(`Wrong answers of ${name}: ${JSON.stringify(outcome.wrong)} ${firstWrong ?? ''}`);
  }
}

function errorsOf({ wrong, refused }: KindOutcome): number {
  return Object.values(wrong).reduce((sum, count) => sum + count, refused.count);
}

function latencyCells({ good }: Pick<KindOutcome, 'good'>): string {
  return [good.p50, good.p95, good.p99, good.max].map((ms) => ms.toFixed(1)).join(' | ');
}

function load(): string {
  return (loadavg()[0] ?? NaN).toFixed(1);
}
