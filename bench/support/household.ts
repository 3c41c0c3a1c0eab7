import { randomUUID } from 'node:crypto';
import { HttpClient } from './http-client.js';

export interface Household {
  readonly ownerId: string;
  readonly accessToken: string;
  readonly devices: readonly { readonly id: string; readonly token: string }[];
}

/** A new account with so many locks, made through the public interface. */
export async function moveIn(url: string, locks: number): Promise<Household> {
  const client = new HttpClient(url, 1);
  const post = async <T>(path: string, body: object, headers = {}): Promise<T> => {
    const answer = await client.send({
      method: 'POST',
      path: `/api/v1${path}`,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    if (answer.status >= 300) {
      throw new Error(`${path} answered ${String(answer.status)}: ${answer.body}`);
    }
    return JSON.parse(answer.body) as T;
  };
  const email = `bench-${randomUUID()}@example.com`;
  const password = randomUUID();
  const { id: ownerId } = await post<{ id: string }>('/auth/register', { email, password });
  const { accessToken } = await post<{ accessToken: string }>('/auth/login', { identifier: email, password });
  const devices: { id: string; token: string }[] = [];
  for (let index = 0; index < locks; index++) {
    const { device, deviceToken } = await post<{ device: { id: string }; deviceToken: string }>(
      '/devices',
      { name: `Door ${String(index)}`, hardwareId: randomUUID(), room: `Floor ${String(index % 4)}` },
      { authorization: `Bearer ${accessToken}` },
    );
    devices.push({ id: device.id, token: deviceToken });
  }
  client.close();
  return { ownerId, accessToken, devices };
}
