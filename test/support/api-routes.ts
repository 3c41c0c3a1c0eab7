import { request } from './rest.js';
import { PASSWORD, NEW_PASSWORD } from './accounts.fixture.js';

/** One operation of the OpenAPI document. */
export interface ApiRoute {
  /** `GET /api/v1/devices/{deviceId}`. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  /** Names in the path, in order. */
  readonly parameters: readonly string[];
  readonly query: readonly string[];
  readonly takesBody: boolean;
  /** Whether it needs a token, of a signed-in account or of a device. */
  readonly guarded: boolean;
  /** Whether a device calls it, with its own token. */
  readonly byDevice: boolean;
}

interface Operation {
  parameters?: { name: string; in: string }[];
  requestBody?: unknown;
  security?: object[];
}

/** Every route that the running application documents. */
export async function documentedRoutes(base: string): Promise<ApiRoute[]> {
  const { body } = await request<{ paths: Record<string, Record<string, Operation>> }>(base, 'GET', '/api/docs-json');
  return Object.entries(body.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([verb, operation]): ApiRoute => {
      const method = verb.toUpperCase();
      const named = (place: string): string[] =>
        (operation.parameters ?? []).filter((each) => each.in === place).map(({ name }) => name);
      return {
        name: `${method} ${path}`,
        method,
        path,
        parameters: [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? ''),
        query: named('query'),
        takesBody: operation.requestBody !== undefined,
        guarded: (operation.security ?? []).length > 0,
        byDevice: (operation.security ?? []).some((scheme) => 'deviceToken' in scheme),
      };
    }),
  );
}

/** The path with these values in it. */
export function fill(path: string, values: Readonly<Record<string, string>>): string {
  return path.replace(/\{(\w+)\}/g, (_whole, name: string) => values[name] ?? `{${name}}`);
}

const SECRET = 'A'.repeat(43);
const UNKNOWN_ID = '0198c1de-3f5b-7000-8000-3f3c0f6a7a55';
/** Good in form: no generated request may end the account or the session it is sent from. */
const WRONG_PASSWORD = 'not the password of any account';

/** A good body for every route that takes one; a new route without an entry fails the tests that walk the routes. */
export const GOOD_BODIES: Readonly<Record<string, () => Record<string, unknown>>> = {
  'POST /api/v1/auth/register': () => ({
    email: 'ada@example.com',
    username: 'adalovelace',
    password: PASSWORD,
    displayName: 'Some Body',
  }),
  'POST /api/v1/csp-reports': () => ({ 'csp-report': { 'effective-directive': 'img-src', 'blocked-uri': 'inline' } }),
  'POST /api/v1/auth/login': () => ({ identifier: 'ada@example.com', password: PASSWORD }),
  'POST /api/v1/auth/signing-keys/rotate': () => ({ purpose: 'order' }),
  'POST /api/v1/auth/refresh': () => ({ refreshToken: 'a'.repeat(86) }),
  'POST /api/v1/devices': () => ({
    name: 'Side door',
    type: 'door_lock',
    hardwareId: 'LOCK-1',
    room: 'Hall',
    location: 'Berlin, Hauptstr. 1',
    position: { latitude: 52.5, longitude: 13.4 },
    metadata: { floor: 2 },
    timeZone: 'Europe/Berlin',
  }),
  'PATCH /api/v1/devices/{deviceId}': () => ({ name: 'Side door', room: 'Hall', timeZone: 'Europe/Berlin' }),
  'POST /api/v1/devices/provision': () => ({ devices: [{ hardwareId: 'LOCK-2', name: 'Side door' }] }),
  'POST /api/v1/devices/claim': () => ({ code: '7K2M-9QXT-0B4H-VWEN-3J8D', name: 'Side door', room: 'Hall' }),
  'POST /api/v1/devices/activate': () => ({ deviceId: UNKNOWN_ID, code: '7K2M-9QXT-0B4H-VWEN-3J8D' }),
  'POST /api/v1/devices/{deviceId}/token/rotate': () => ({ overlapSeconds: 60 }),
  'POST /api/v1/devices/{deviceId}/transfer': () => ({ email: 'heir@example.com' }),
  'POST /api/v1/devices/transfers/accept': () => ({ token: SECRET }),
  'POST /api/v1/devices/transfers/decline': () => ({ token: SECRET }),
  'POST /api/v1/devices/transfers/{transferId}/accept': () => ({ token: SECRET }),
  'POST /api/v1/devices/transfers/{transferId}/decline': () => ({ token: SECRET }),
  'PATCH /api/v1/devices/{deviceId}/settings': () => ({ settings: { autoLockTimeoutMs: 5_000 }, version: 0 }),
  'POST /api/v1/devices/{deviceId}/commands': () => ({ name: 'lock_door', payload: {} }),
  'POST /api/v1/devices/{deviceId}/heartbeat': () => ({ boot: 'A'.repeat(22), uptimeMs: 1_000, lockState: 'locked' }),
  'POST /api/v1/devices/{deviceId}/events': () => ({
    events: [{ boot: 'A'.repeat(22), seq: 1, type: 'door_status_changed', data: { doorState: 'open' } }],
  }),

  'POST /api/v1/auth/register/confirm': () => ({ token: SECRET, password: WRONG_PASSWORD }),
  'POST /api/v1/auth/password': () => ({ currentPassword: WRONG_PASSWORD, newPassword: NEW_PASSWORD }),
  'POST /api/v1/auth/forgot-password': () => ({ identifier: 'ada@example.com' }),
  'POST /api/v1/auth/reset-password': () => ({ token: SECRET, newPassword: NEW_PASSWORD }),
  'POST /api/v1/auth/complete-password-change': () => ({ changeToken: SECRET, newPassword: NEW_PASSWORD }),
  'POST /api/v1/auth/email/confirm': () => ({ token: SECRET }),
  'POST /api/v1/auth/unlock/confirm': () => ({ token: SECRET }),
  'PATCH /api/v1/users/me': () => ({ displayName: 'Some Body' }),
  'DELETE /api/v1/users/me': () => ({ password: WRONG_PASSWORD }),
  'PATCH /api/v1/users/me/preferences': () => ({ theme: 'dark', language: 'de-CH' }),
  'POST /api/v1/users/me/email': () => ({ email: 'other@example.com', password: WRONG_PASSWORD }),
  'POST /api/v1/users': () => ({ email: 'invited@example.com', displayName: 'In Vited' }),
  'PATCH /api/v1/users/{userId}': () => ({ displayName: 'Some Body' }),
  'PATCH /api/v1/users/{userId}/role': () => ({ role: 'USER' }),
  'PATCH /api/v1/users/{userId}/reset-password': () => ({ means: 'link' }),
  'POST /api/v1/users/bulk': () => ({ users: [{ email: 'bulk@example.com' }], mode: 'per_row' }),
  'DELETE /api/v1/users/bulk': () => ({ ids: [UNKNOWN_ID], mode: 'per_row' }),
  'POST /api/v1/users/import': () => ({ users: [{ email: 'import@example.com' }] }),
  'POST /api/v1/exports': () => ({ type: 'my_data', format: 'csv' }),
  'POST /api/v1/notifications/read': () => ({ until: '2026-12-06T08:00:00Z' }),
  'PUT /api/v1/notifications/chat': () => ({ url: 'https://hooks.example.com/services/T0' }),
  'POST /api/v1/notifications/mail-events': () => ({ event: 'bounce' }),
  'PUT /api/v1/notifications/phone': () => ({ number: '+4915112345678' }),
  'POST /api/v1/notifications/phone/confirm': () => ({ code: '000000' }),
  'POST /api/v1/notifications/sms-status': () => ({ MessageStatus: 'delivered' }),
  'POST /api/v1/notifications/unsubscribe': () => ({ 'List-Unsubscribe': 'One-Click' }),
  'PATCH /api/v1/notifications/preferences': () => ({
    items: [{ kind: 'low_battery', channel: 'email', enabled: false }],
  }),
  'POST /api/v1/notifications/push/subscriptions': () => ({
    service: 'web_push',
    endpoint: 'https://push.example.com/abc',
    keys: {
      p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
      auth: 'BTBZMqHH6r4Tts7J_aSIgg',
    },
  }),
  'PATCH /api/v1/notifications/{notificationId}': () => ({ read: true }),
  'POST /api/v1/webhooks': () => ({ url: 'https://hooks.example.com/mortise', eventTypes: ['low_battery'] }),
  'POST /api/v1/webhooks/{webhookId}/rotate-secret': () => ({ overlapHours: 1 }),
  'PATCH /api/v1/webhooks/{webhookId}': () => ({ description: 'Front desk' }),
  'POST /api/v1/export-schedules': () => ({ type: 'usage_report', format: 'csv', every: 'daily', at: '07:00' }),
  'POST /api/v1/organizations': () => ({ name: 'Lighthouse' }),
  'PATCH /api/v1/organizations/{organizationId}': () => ({ name: 'Beacon' }),
  'PATCH /api/v1/organizations/{organizationId}/members/{userId}': () => ({ role: 'VIEWER' }),
  'POST /api/v1/organizations/{organizationId}/transfer': () => ({ userId: UNKNOWN_ID }),
  'POST /api/v1/organizations/{organizationId}/invitations': () => ({ email: 'guest@example.com', role: 'VIEWER' }),
  'POST /api/v1/organizations/invitations/accept': () => ({ token: SECRET }),
  'POST /api/v1/devices/{deviceId}/shares': () => ({ email: 'guest@example.com', permission: 'control' }),
  'POST /api/v1/devices/{deviceId}/shares/preview': () => ({ until: '2099-01-01T00:00:00Z' }),
  'PATCH /api/v1/devices/{deviceId}/shares/{shareId}': () => ({ permission: 'view' }),
  'POST /api/v1/devices/{deviceId}/access-check': () => ({ needs: 'control' }),
  'POST /api/v1/shares/accept': () => ({ token: SECRET }),
};
