import { deepStrictEqual } from 'node:assert';
import { loadavg } from 'node:os';
import { searchPatterns } from '../../src/features/devices/domain/device-search.js';
import type { DeviceField } from '../../src/features/devices/facts/device-fields.js';
import { DEVICE_SORT_COLUMNS, type DeviceSort } from '../../src/features/devices/list/device-list.types.js';
import { LIST_PARAMETER_TYPES, listStatement } from '../../src/features/devices/list/device-list-sql.js';
import { STATS_STATEMENT } from '../../src/features/devices/list/device-stats-sql.js';
import { Failure } from '../../tools/stack/failure.js';
import { print } from '../../tools/stack/steps.js';
import { EACH, type GrowthInstallation, installGrowth, ORGANIZATION_ID } from '../support/growth-installation.js';
import { type Services } from '../support/services.js';
import { percentile } from '../support/statistics.js';

const [SMALL, LARGE] = [1_000, 100_000];
const WARM_UP = 20;
const ROUNDS = 600;
const PAGE = 50;
const AGREED = 1.5;
const SEARCH = 'door 7';

const NEWEST: readonly DeviceSort[] = [{ column: 'createdAt', isDescending: true }];
const THREE: readonly DeviceSort[] = [
  { column: 'type', isDescending: false },
  { column: 'battery', isDescending: true },
  { column: 'name', isDescending: false },
];
const SHORT: readonly DeviceField[] = ['id', 'name', 'lockState'];

/** What is asked of a platform of either size. */
interface Case {
  readonly name: string;
  readonly ask: (installation: GrowthInstallation) => Promise<unknown>;
}
interface Shares {
  readonly ids: readonly string[];
  readonly permissions: readonly string[];
}

/** Each filter alone, by the place of its parameter. */
const { words, keys, wholeKey } = searchPatterns(SEARCH);
const FILTERS: Readonly<Record<string, Readonly<Record<number, unknown>>>> = {
  type: { 3: 'door_lock' },
  status: { 4: 'online' },
  room: { 5: 'Room 3' },
  location: { 6: 'Berlin' },
  organizationId: { 7: ORGANIZATION_ID },
  owned: { 8: true },
  batteryBelow: { 9: 20 },
  seenSince: { 10: '2026-11-29T22:00:00Z' },
  q: { 11: words, 12: keys, 13: wholeKey },
};

/**
 * `GET /devices`, and its statements alone, for a person with devices of their own, of others and of an organization, among
 * 1,000 of the platform and among 100,000, in turns: what the devices of others cost. Fails above the agreed ratio.
 */
export async function growth(services: Services): Promise<void> {
  const small = await installGrowth(services, SMALL);
  const large = await installGrowth(services, LARGE);
  try {
    await measureAll(small, large);
  } finally {
    for (const { client, http, server } of [small, large]) {
      await client.end();
      http.close();
      await server.stop();
    }
  }
}

async function measureAll(small: GrowthInstallation, large: GrowthInstallation): Promise<void> {
  const cases = [...(await requests(small)), ...(await statements(small))];
  print(
    `\nList of a person with ${String(EACH)} devices, ${String(EACH)} shared and ${String(EACH)} of an organization`,
  );
  print(
    `n ${String(ROUNDS)} each; p50, then p95 and their ratio, in ms at ${String(SMALL)} and ${String(LARGE)}; agreed ${String(AGREED)}`,
  );
  const ratios = new Map<string, number>();
  for (const each of cases) {
    ratios.set(each.name, await measure(each, small, large));
  }
  print(`  largest ratio ${Math.max(...ratios.values()).toFixed(2)}, load average ${(loadavg()[0] ?? NaN).toFixed(1)}`);
  const grown = [...ratios].filter(([, ratio]) => ratio > AGREED).map(([name]) => name);
  if (grown.length > 0) {
    throw new Failure(`The p95 grows by more than ${String(AGREED)}: ${grown.join('; ')}.`);
  }
}

/** Who is first changes with each round. Both must answer alike, and always the same. */
async function measure({ name, ask }: Case, small: GrowthInstallation, large: GrowthInstallation): Promise<number> {
  const expected = await ask(small);
  const asked = [
    { installation: small, times: [] as number[] },
    { installation: large, times: [] as number[] },
  ];
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (const { installation, times } of round % 2 === 0 ? asked : asked.toReversed()) {
      const begin = performance.now();
      const answer = await ask(installation);
      const time = performance.now() - begin;
      deepStrictEqual(answer, expected);
      if (round >= 0) {
        times.push(time);
      }
    }
  }
  const [middle, [a = NaN, b = NaN]] = [50, 95].map((percent) =>
    asked.map(({ times }) => percentile(times, percent)),
  ) as [number[], number[]];
  const figures = [...middle, a, b, b / a].map((each) => each.toFixed(2).padStart(6));
  print(`  ${name.padEnd(74)} ${figures.join(' ')}`);
  return b / a;
}

/** Over HTTP, on one connection: all that a request costs. */
async function requests(installation: GrowthInstallation): Promise<Case[]> {
  const sort = THREE.map(({ column, isDescending }) => `${isDescending ? '-' : ''}${column}`).join(',');
  const three = `?sort=${sort}&fields=${SHORT.join(',')}`;
  const cursors = await Promise.all(['?', `${three}&`].map((query) => cursorAfter(installation, query)));
  const queries = [
    '',
    `?cursor=${cursors[0] ?? ''}`,
    `?organizationId=${ORGANIZATION_ID}`,
    three,
    `${three}&cursor=${cursors[1] ?? ''}`,
    `?q=${encodeURIComponent(SEARCH)}`,
  ];
  return [...queries.map((query) => `/devices${query}`), '/devices/stats'].map((path) => ({
    name: `GET ${path.replace(/cursor=.*/, 'cursor=…').replace(ORGANIZATION_ID, '…')}`,
    ask: (each) => answerOf(each, path),
  }));
}

async function cursorAfter(installation: GrowthInstallation, query: string): Promise<string> {
  const answer = await answerOf(installation, `/devices${query}limit=${String(PAGE)}`);
  return (answer as { nextCursor: string }).nextCursor;
}

async function answerOf({ http, authorization }: GrowthInstallation, path: string): Promise<unknown> {
  const answer = await http.send({ method: 'GET', path: `/api/v1${path}`, headers: { authorization } });
  const body = JSON.parse(answer.body) as { items?: readonly unknown[] };
  if (answer.status !== 200 || body.items?.length === 0) {
    throw new Error(`${path} answered ${String(answer.status)}: ${answer.body}`);
  }
  return body;
}

/** The statements alone, prepared as the application has them. */
async function statements(installation: GrowthInstallation): Promise<Case[]> {
  const shares = await sharesOf(installation);
  const none = valuesOf({}, shares);
  const newest = listStatement(NEWEST, false);
  const [first, firstOfThree] = [
    await positionAfter(installation, newest, none),
    await positionAfter(installation, listStatement(THREE, false, SHORT), none),
  ];
  return [
    ...DEVICE_SORT_COLUMNS.flatMap((column) =>
      [false, true].map((isDescending) =>
        statement(`sort=${isDescending ? '-' : ''}${column}`, listStatement([{ column, isDescending }], false), none),
      ),
    ),
    statement('next page', listStatement(NEWEST, true), [...none, ...first]),
    ...Object.entries(FILTERS).map(([name, filter]) => statement(`${name}=`, newest, valuesOf(filter, shares))),
    statement('three columns, fields', listStatement(THREE, false, SHORT), none, false),
    statement('three columns, fields, next page', listStatement(THREE, true, SHORT), [...none, ...firstOfThree], false),
    statement('stats', STATS_STATEMENT, [shares.ids, shares.permissions]),
  ];
}

function statement(name: string, text: string, values: readonly unknown[], isPrepared = true): Case {
  return {
    name: `statement, ${name}`,
    ask: (installation) => rowsOf(installation, isPrepared ? name : '', text, values),
  };
}

async function rowsOf(
  { client, userId }: GrowthInstallation,
  name: string,
  text: string,
  values: readonly unknown[],
): Promise<Record<string, unknown>[]> {
  const { rows } = await client.query<Record<string, unknown>>({ name, text, values: [userId, ...values] });
  if (rows.length === 0) {
    throw new Error(`${text} answered nothing.`);
  }
  return rows;
}

/** The parameters after the person: one more than a page, the filters and the shares. */
function valuesOf(filter: Readonly<Record<number, unknown>>, { ids, permissions }: Shares): unknown[] {
  const filters = Array.from({ length: LIST_PARAMETER_TYPES.length - 4 }, (_each, index) => filter[index + 3] ?? null);
  return [PAGE + 1, ...filters, ids, permissions];
}

async function positionAfter(
  installation: GrowthInstallation,
  text: string,
  values: readonly unknown[],
): Promise<readonly unknown[]> {
  const rows = await rowsOf(installation, '', text, values);
  return rows[PAGE - 1]?.position as readonly unknown[];
}

async function sharesOf({ client, userId }: GrowthInstallation): Promise<Shares> {
  const { rows } = await client.query<{ device_id: string; permission: string }>(
    'SELECT device_id, permission::text FROM device_shares WHERE user_id = $1 ORDER BY device_id',
    [userId],
  );
  if (rows.length !== EACH) {
    throw new Error(`${String(rows.length)} devices are shared with the person.`);
  }
  return { ids: rows.map((row) => row.device_id), permissions: rows.map((row) => row.permission) };
}
