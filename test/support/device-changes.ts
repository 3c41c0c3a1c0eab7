import { randomUUID } from 'node:crypto';
import type { FeedMessage } from '../../src/contracts/realtime.js';
import type { Account } from './accounts.fixture.js';
import type { Dashboard } from './dashboard.js';
import type { RegisteredDevice } from './devices.fixture.js';
import { request } from './rest.js';

/** Changes a device: all who may see it hear of that. @returns its version since then */
export async function changeDevice(
  base: string,
  { accessToken: token }: Pick<Account, 'accessToken'>,
  { id }: Pick<RegisteredDevice, 'id'>,
): Promise<number> {
  const body = { room: randomUUID() };
  const answer = await request<{ version: number }>(base, 'PATCH', `/api/v1/devices/${id}`, { token, body });
  if (answer.status !== 200) {
    throw new Error(`A device was not changed: ${JSON.stringify(answer.body)}`);
  }
  return answer.body.version;
}

/** Whether a dashboard has heard of the change that made this version. */
export function heardChange({ heard }: Dashboard, { id }: RegisteredDevice, changedTo: number): boolean {
  return heard.some(({ payload }) => {
    const { type, deviceId, version } = payload as Partial<FeedMessage>;
    return type === 'device_updated' && deviceId === id && version === changedTo;
  });
}

/** The type of the event that a message carries, or its name. */
export function typeHeard({ name, payload }: Dashboard['heard'][number]): string {
  const { type, id } = payload as { type?: unknown; id?: unknown };
  return id !== undefined && typeof type === 'string' ? type : name;
}
