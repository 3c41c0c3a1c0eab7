import { randomUUID } from 'node:crypto';

export interface Answer<T = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export interface RequestOptions {
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Asks the API as a client would. The body is what was parsed, or undefined for an empty one. */
export async function request<T = Record<string, unknown>>(
  base: string,
  method: string,
  path: string,
  { token, body, headers = {} }: RequestOptions = {},
): Promise<Answer<T>> {
  const response = await fetch(base + path, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    signal: AbortSignal.timeout(40_000),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: (text === '' ? undefined : JSON.parse(text)) as T,
  };
}

export interface Account {
  readonly id: string;
  readonly email: string;
  readonly password: string;
  readonly accessToken: string;
  readonly refreshToken: string;
}

export const PASSWORD = 'velvet-orbit-walnut-canyon-9';

/** A new account, signed in. */
export async function createAccount(base: string, name = 'person'): Promise<Account> {
  const email = `${name}-${randomUUID()}@example.com`;
  const registered = await request<{ id: string }>(base, 'POST', '/api/v1/auth/register', {
    body: { email, password: PASSWORD },
  });
  if (registered.status !== 201) {
    throw new Error(`Registering failed: ${JSON.stringify(registered.body)}`);
  }
  return { ...(await signIn(base, email)), id: registered.body.id, email, password: PASSWORD };
}

export async function signIn(
  base: string,
  identifier: string,
  password = PASSWORD,
): Promise<{ accessToken: string; refreshToken: string }> {
  const { status, body } = await request<{ accessToken: string; refreshToken: string }>(
    base,
    'POST',
    '/api/v1/auth/login',
    {
      body: { identifier, password },
    },
  );
  if (status !== 200) {
    throw new Error(`Signing in failed: ${JSON.stringify(body)}`);
  }
  return body;
}

export interface RegisteredDevice {
  readonly id: string;
  readonly token: string;
}

export async function registerDevice(base: string, owner: Account, name = 'Front door'): Promise<RegisteredDevice> {
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

/** Gives an order; with `waitSeconds` it waits for the outcome. */
export function sendCommand(
  base: string,
  person: Account,
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
