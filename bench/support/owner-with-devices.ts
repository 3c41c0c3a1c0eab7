import { randomUUID } from 'node:crypto';
import { HttpClient } from './http-client.js';

export interface OwnerWithDevices {
  readonly ownerId: string;
  readonly accessToken: string;
  readonly devices: readonly { readonly id: string; readonly token: string }[];
}

/** A new account with so many devices, made through the API. */
export async function createOwnerWithDevices(url: string, locks: number): Promise<OwnerWithDevices> {
  const client = new HttpClient(url, 1);
  const email = `bench-${randomUUID()}@example.com`;
  const password = randomUUID();
  const { id: ownerId } = await client.post<{ id: string }>('/auth/register', { email, password });
  const { accessToken } = await client.post<{ accessToken: string }>('/auth/login', { identifier: email, password });
  const devices: { id: string; token: string }[] = [];
  for (let index = 0; index < locks; index++) {
    const { device, deviceToken } = await client.post<{ device: { id: string }; deviceToken: string }>(
      '/devices',
      { name: `Door ${String(index)}`, hardwareId: randomUUID(), room: `Floor ${String(index % 4)}` },
      { authorization: `Bearer ${accessToken}` },
    );
    devices.push({ id: device.id, token: deviceToken });
  }
  client.close();
  return { ownerId, accessToken, devices };
}
