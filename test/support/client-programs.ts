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

/** Answers that come after a login: to a refresh that succeeds, to one that is refused, to none, to a request of a session that ended. */
export const LATE = `
import { createMortise, type MortiseOptions } from 'mortise-client';
import type { Stored } from 'mortise-client/session';

const [identifier = '', password = ''] = process.argv.slice(2);
const base = process.env.BASE_URL ?? '';
let stored: Stored | null = null;
let held: { readonly release: Promise<void>; readonly arrived: () => void } | null = null;
const options: MortiseOptions = {
  store: { load: () => stored, save: (next) => { stored = next; } },
  // As where a platform has no locks: the store changes while an answer is awaited.
  exclusively: (_name, work) => work(),
};
const late = createMortise(base, {
  ...options,
  fetch: async (request) => {
    const answer = await fetch(request);
    const { release, arrived } = held ?? {};
    arrived?.();
    await release;
    return answer;
  },
});
const login = (client = createMortise(base, options)) => client.POST('/api/v1/auth/login', { body: { identifier, password } });
const end = (token = '') => fetch(base + '/api/v1/auth/logout', { method: 'POST', headers: { authorization: 'Bearer ' + token } });

/** Whether the tokens of the second login are there after the answer, and good. */
async function keeps(ask: () => Promise<unknown>, prepare?: (token?: string) => Promise<unknown>): Promise<boolean> {
  await login();
  await prepare?.(stored?.tokens?.accessToken);
  let release = () => {};
  const arrived = new Promise<void>((resolve) => {
    held = { arrived: resolve, release: new Promise((done) => { release = done; }) };
  });
  const asked = ask();
  await arrived;
  await login();
  const newer = stored?.tokens?.accessToken;
  held = null;
  release();
  await asked;
  const { response } = await late.GET('/api/v1/users/me');
  return response.status === 200 && stored?.tokens?.accessToken === newer;
}

const refreshed = await keeps(() => late.session.refresh());
const refused = await keeps(() => late.session.refresh(), end);
const oldRequest = await keeps(() => late.GET('/api/v1/devices'), end);
// The token of a session that is gone from the store, and of which nothing says whose it was.
let sentAgain: number | undefined;
const spoil = (): Promise<void> => Promise.resolve(void (stored = { ...stored!, tokens: { ...stored!.tokens!, accessToken: 'x.e30.x' } }));
const foreignRequest = await keeps(async () => {
  sentAgain = (await late.GET('/api/v1/devices')).response.status;
}, spoil);

// With the locks of the platform, a login waits for no refresh that has no answer.
const silent = createMortise(base, {
  fetch: (request) =>
    request.url.endsWith('/auth/refresh')
      ? new Promise((_resolve, reject) => request.signal.addEventListener('abort', () => reject(request.signal.reason)))
      : fetch(request),
});
await login(silent);
const unanswered = silent.session.refresh();
await login(silent);
const given = await unanswered;
const { response } = await silent.GET('/api/v1/users/me');
await silent.POST('/api/v1/auth/logout');
const afterLogout = await silent.session.isSignedIn();
console.log(JSON.stringify({ refreshed, refused, oldRequest, foreignRequest: [foreignRequest, sentAgain], unanswered: [given, response.status], afterLogout }));
`;

/** Feeds whose first refresh fails for now: no network, a server that is busy, the same after the end of the token. */
export const HICCUP = `
import { createMortise } from 'mortise-client';
import { Feed } from 'mortise-client/feed';
import type { Stored, Tokens } from 'mortise-client/session';

const [broken, busy, late] = JSON.parse(process.argv[2] ?? '') as [Tokens, Tokens, Tokens];
const noNetwork = () => Promise.reject(new TypeError('fetch failed'));
const tooBusy = () => Promise.resolve(new Response(null, { status: 503 }));

async function connects(tokens: Tokens, failures: (() => Promise<Response>)[]): Promise<string> {
  let stored: Stored = { tokens, knownDevice: null };
  const mortise = createMortise(process.env.BASE_URL ?? '', {
    store: { load: () => stored, save: (next) => { stored = next; } },
    fetch: (request) => failures.shift()?.() ?? fetch(request),
  });
  return new Promise((resolve) => {
    const feed = new Feed(mortise, { onEnd: (why) => resolve('ended ' + JSON.stringify(why)) });
    feed.socket.once('connect', () => {
      feed.close();
      resolve(stored.tokens?.refreshToken === tokens.refreshToken ? 'connected with the old token' : 'connected');
    });
  });
}

console.log(
  JSON.stringify(
    await Promise.all([
      connects(broken, [noNetwork, noNetwork]),
      connects(busy, [tooBusy]),
      connects({ ...late, refreshAt: 0, expiresAt: 0 }, [tooBusy]),
    ]),
  ),
);
`;

/** Follows a device until it may not any more. */
export const FOLLOWING = `
import { createMortise } from 'mortise-client';
import { Feed } from 'mortise-client/feed';

const [identifier = '', password = '', deviceId = ''] = process.argv.slice(2);
const mortise = createMortise(process.env.BASE_URL ?? '');
await mortise.POST('/api/v1/auth/login', { body: { identifier, password } });
const feed = new Feed(mortise, {
  onUnsubscribed: (id, { code }) => {
    console.log('unsubscribed', id, code);
    feed.close();
  },
});
await feed.subscribe(deviceId);
console.log('subscribed');
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
