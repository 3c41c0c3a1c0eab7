import { randomUUID } from 'node:crypto';
import type { LoadPlan, PlannedRequest } from '../open-loop/load-plan.js';
import type { Server } from '../servers.js';
import { DEVICES_OF_USER, type MixDevice, type MixUser } from './mix-installation.js';
import { get, mixPlan, post } from './mix-plan.js';

/** One of the servers that the mix is sent to. */
export interface MixCandidate {
  readonly name: string;
  readonly server: Server;
  readonly rssAfterBootMb: number;
  /** For one run: events are numbered anew. */
  plan(): LoadPlan;
}

/** In each device once: the answer is the row that was asked for. */
const ROW = '"hardwareId"';
const UNLOCK = JSON.stringify({ name: 'unlock_door', payload: { durationMs: 5_000 } });

/** As an app and a device do it, with their tokens. */
export function mortisePlan(url: string, users: readonly MixUser[]): LoadPlan {
  return mixPlan(url, {
    list: users.map(({ accessToken }) =>
      get(`/api/v1/devices?limit=${String(DEVICES_OF_USER)}`, bearer(accessToken), rows(DEVICES_OF_USER)),
    ),
    get: eachDevice(users, ({ accessToken }, { id }) => get(`/api/v1/devices/${id}`, bearer(accessToken), rows(1))),
    ...reports(users, ({ accessToken }) => bearer(accessToken)),
  });
}

/** Without a framework: a client is believed, so the path names the owner. */
export function barePlan(url: string, users: readonly MixUser[]): LoadPlan {
  return mixPlan(url, {
    list: users.map(({ id }) => get(`/owners/${id}/devices`, {}, rows(DEVICES_OF_USER))),
    get: eachDevice(users, (user, { id }) => get(`/owners/${user.id}/devices/${id}`, {}, rows(1))),
    ...reports(users, () => ({})),
  });
}

/** Events and commands have the same paths everywhere. */
function reports(
  users: readonly MixUser[],
  headersOf: (user: MixUser) => Record<string, string>,
): { event: PlannedRequest[]; command: PlannedRequest[] } {
  const boot = randomUUID();
  return {
    event: eachDevice(users, (_user, { id, token }, index) =>
      index === 0 ? null : post(`/api/v1/devices/${id}/events`, bearer(token), eventBody(boot), receipt()),
    ),
    command: users.map((user) =>
      post(
        `/api/v1/devices/${user.devices[0]?.id ?? ''}/commands`,
        { ...headersOf(user), 'idempotency-key': '%uuid%', prefer: 'wait=10' },
        UNLOCK,
        { status: 200, text: '"state":"EXECUTED"', times: 1 },
      ),
    ),
  };
}

function eventBody(boot: string): string {
  const event = { seq: '%seq%', boot, type: 'motion_detected', data: { confidence: 0.9, zone: 'hall' } };
  return JSON.stringify({ events: [event] }).replace('"%seq%"', '%seq%');
}

function receipt(): PlannedRequest['expect'] {
  return { status: 200, text: '"seq":%seq%}', times: 1 };
}

function rows(count: number): PlannedRequest['expect'] {
  return { status: 200, text: ROW, times: count };
}

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

/** The first device of each person, then the second of each: one person does not ask twice in a row. */
function eachDevice(
  users: readonly MixUser[],
  request: (user: MixUser, device: MixDevice, index: number) => PlannedRequest | null,
): PlannedRequest[] {
  return Array.from({ length: DEVICES_OF_USER }, (_, index) =>
    users.flatMap((user) => request(user, user.devices[index]!, index) ?? []),
  ).flat();
}
