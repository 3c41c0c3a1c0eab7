/**
 * P-07: lists show each person their own, whatever they are filtered by. Ada's have a canary in them; Mallory, a guest whose share
 * of her device has ended, and one whose share is closed by its schedule ask for theirs, also with her cursors.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Account } from '../support/accounts.fixture.js';
import { registerDevice } from '../support/devices.fixture.js';
import { type Answer, request } from '../support/rest.js';
import { createClosedGuest, createTwoTenants, type TwoTenants } from '../support/two-tenants.js';

const CANARY = `canary-${randomUUID().slice(0, 8)}`;

let tenants: TwoTenants;
let closedGuest: Awaited<ReturnType<typeof createClosedGuest>>;

beforeAll(async () => {
  tenants = await createTwoTenants(CANARY);
  closedGuest = await createClosedGuest(tenants);
}, 60_000);

afterAll(() => tenants.stop());

describe('P-07: lists', () => {
  it('shows each person their own list, whatever it is filtered by and wherever its cursor is from', async () => {
    const { application, ada, mallory, formerGuest, hers, his } = tenants;
    const people = [mallory, formerGuest, closedGuest];
    const get = <T>({ accessToken: token }: Pick<Account, 'accessToken'>, path: string): Promise<Answer<T>> =>
      request<T>(application.url, 'GET', `/api/v1${path}`, { token });
    for (const person of people) {
      for (const query of ['', `?q=${CANARY}`, '?limit=200', '?sort=name', '?type=door_lock', '?status=online']) {
        const { body } = await get<{ items: { id: string }[] }>(person, `/devices${query}`);
        expect(JSON.stringify(body)).not.toContain(CANARY);
        expect(body.items.every(({ id }) => person === mallory && id === his.id)).toBe(true);
      }
      expect(JSON.stringify((await get(person, '/users/me')).body)).not.toContain(CANARY);
    }

    await registerDevice(application.url, ada, `${CANARY} gate`);
    const below = (id: string): string[] => ['events', 'commands', 'shares'].map((list) => `/devices/${id}/${list}`);
    for (const list of ['/devices', ...below(hers.id)]) {
      const page = await get<{ nextCursor: string }>(ada, `${list}?limit=1`);
      expect(page.body.nextCursor).toEqual(expect.any(String));
      for (const person of people) {
        const isOfHers = list !== '/devices' && person !== mallory;
        const own = isOfHers ? list : list.replace(hers.id, his.id);
        const stolen = await get(person, `${own}?cursor=${page.body.nextCursor}`);
        expect([own, stolen.status]).toEqual([own, isOfHers ? 404 : 200]);
        expect(JSON.stringify(stolen.body)).not.toContain(CANARY);
        expect(isOfHers || !JSON.stringify(stolen.body).includes(hers.id)).toBe(true);
      }
    }
  });
});
