import { randomUUID } from 'node:crypto';
import type { Account } from './accounts.fixture.js';
import { type Answer, request } from './rest.js';

export interface RegisteredDevice {
  readonly id: string;
  readonly token: string;
}

export async function registerDevice(
  base: string,
  owner: Pick<Account, 'accessToken'>,
  name = 'Front door',
): Promise<RegisteredDevice> {
  const { status, body } = await request<{ device: { id: string }; deviceToken: string }>(
    base,
    'POST',
    '/api/v1/devices',
    {
      token: owner.accessToken,
      body: { name, hardwareId: randomUUID() },
    },
  );
  if (status !== 201) {
    throw new Error(`Registering a device failed: ${JSON.stringify(body)}`);
  }
  return { id: body.device.id, token: body.deviceToken };
}

/** Asks below `/api/v1/devices`, as a person or as a stranger. @param base of the application, once it runs */
export function deviceClient(
  base: () => string,
): <T = Record<string, unknown>>(
  who: Pick<Account, 'accessToken'> | null,
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answer<T>> {
  return (who, method, path, body, headers = {}) =>
    request(base(), method, `/api/v1/devices${path}`, { ...(who && { token: who.accessToken }), body, headers });
}

/** Gives an order; with `waitSeconds` it waits for the outcome. */
export function sendCommand(
  base: string,
  person: Pick<Account, 'accessToken'>,
  deviceId: string,
  body: { name: string; payload?: Record<string, unknown> },
  { waitSeconds, key = randomUUID() }: { waitSeconds?: number; key?: string } = {},
): Promise<Answer<{ id: string; state: string; confirmedBy: string } & Record<string, unknown>>> {
  return request(base, 'POST', `/api/v1/devices/${deviceId}/commands`, {
    token: person.accessToken,
    body,
    headers: {
      'idempotency-key': key,
      ...(waitSeconds === undefined ? {} : { prefer: `wait=${String(waitSeconds)}` }),
    },
  });
}
