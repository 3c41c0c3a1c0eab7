import { randomUUID } from 'node:crypto';
import { createAccounts, signIn } from '../accounts.js';
import { HttpClient } from '../http-client.js';
import { type Services } from '../services.js';
import { sql } from '../sql.js';

export const USERS = 100;
export const DEVICES_OF_USER = 20;
const AT_ONCE = 8;

export interface MixDevice {
  readonly id: string;
  readonly token: string;
}

export interface MixUser {
  readonly id: string;
  readonly accessToken: string;
  /** The first one is a lock that is online, the others report by HTTP. */
  readonly devices: readonly MixDevice[];
}

/** People with a session and twenty devices each, made through the API. */
export async function createMixUsers(services: Services, url: string): Promise<MixUser[]> {
  const accounts = await createAccounts(services, url, USERS);
  const client = new HttpClient(url, AT_ONCE);
  const users = await inParallel(accounts.emails.length, async (index) => {
    const { accessToken, user } = await signIn(client, accounts, index);
    return { id: user.id, accessToken };
  });
  const devices = await inParallel(USERS * DEVICES_OF_USER, async (index) => {
    const { accessToken } = users[index % USERS]!;
    const { device, deviceToken } = await client.post<{ device: { id: string }; deviceToken: string }>(
      '/devices',
      { name: `Door ${String(index)}`, hardwareId: randomUUID(), room: `Floor ${String(index % 4)}` },
      { authorization: `Bearer ${accessToken}` },
    );
    return { id: device.id, token: deviceToken };
  });
  client.close();
  // What autovacuum would do within a minute: without it, PostgreSQL plans for tables that are empty.
  await sql(services, 'VACUUM ANALYZE');
  return users.map((user, index) => ({ ...user, devices: devices.filter((_, place) => place % USERS === index) }));
}

/** `count` times, a few at once; in the order of their numbers. */
export async function inParallel<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      results[index] = await work(index);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}
