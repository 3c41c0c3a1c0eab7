/** Programs that app developers might write with the package. */
export const READER = `
import { createMortise } from 'mortise-client';
import { Feed, RefusedError } from 'mortise-client/feed';

const [identifier = '', password = ''] = process.argv.slice(2);
const mortise = createMortise(process.env.BASE_URL ?? '');
await mortise.POST('/api/v1/auth/login', { body: { identifier, password } });
const { data: me } = await mortise.GET('/api/v1/users/me');
const { data: devices } = await mortise.GET('/api/v1/devices');
const stranger = '00000000-0000-7000-8000-000000000000';
const { error } = await mortise.GET('/api/v1/devices/{deviceId}', { params: { path: { deviceId: stranger } } });

const feed = new Feed(mortise);
const unlocked = new Promise<string | null>((resolve) => {
  feed.socket.on('door_status_changed', ({ payload, deviceId }) => {
    if (payload.lockState === 'unlocked') resolve(deviceId);
  });
});
await new Promise<void>((resolve) => feed.socket.once('connect', resolve));
const feedRefused = await feed.subscribe(stranger).then(
  () => null,
  (refusal: unknown) => (refusal instanceof RefusedError ? refusal.problem.code : String(refusal)),
);
console.log('connected');
const facts = { me: me?.id, devices: devices?.items.map(({ id }) => id), refused: error?.code, feedRefused, unlocked: await unlocked };
feed.close();
await mortise.POST('/api/v1/auth/logout');
console.log(JSON.stringify({ ...facts, afterLogout: await mortise.session.isSignedIn() }));
`;

/** Two clients with one store stand for two tabs. */
export const RETURNING = `
import { readFileSync, writeFileSync } from 'node:fs';
import { createMortise, type MortiseOptions } from 'mortise-client';
import { Feed } from 'mortise-client/feed';

const [file = ''] = process.argv.slice(2);
let refreshes = 0;
const options: MortiseOptions = {
  store: {
    load: () => JSON.parse(readFileSync(file, 'utf8')),
    save: (stored) => writeFileSync(file, JSON.stringify(stored)),
  },
  fetch: (request) => {
    refreshes += request.url.endsWith('/auth/refresh') ? 1 : 0;
    return fetch(request);
  },
};
const [tab, other] = [createMortise(process.env.BASE_URL ?? '', options), createMortise(process.env.BASE_URL ?? '', options)];
const feed = new Feed(tab);
const connected = new Promise<void>((resolve) => feed.socket.once('connect', resolve));
const answers = await Promise.all([
  tab.GET('/api/v1/users/me'),
  tab.GET('/api/v1/devices'),
  other.GET('/api/v1/organizations'),
  tab.PATCH('/api/v1/users/me', { body: { displayName: 'Ada' } }),
  other.GET('/api/v1/users/me'),
]);
await connected;
console.log('connected');
feed.close();
console.log(JSON.stringify({ statuses: answers.map(({ response }) => response.status), refreshes }));
`;

export const MISTAKEN = `
import { createMortise } from 'mortise-client';
import { Feed } from 'mortise-client/feed';

const mortise = createMortise('');
await mortise.POST('/api/v1/auth/login', { body: { password: 'but who?' } });
const { socket } = new Feed(mortise);
socket.on('door_opened', () => undefined);
socket.on('door_status_changed', ({ payload }) => payload.lockstate);
socket.emit('subscribe_devices', { deviceId: '' });
`;
